// Any bytes as JSON, as lines and as one payload, plain and with readings inside the document, with paths into strings
// and to elements that are chosen: nothing crashes, reads past the payload, or goes uncounted.
#include <cstdint>
#include <cstdlib>

#include "decode/decoding.hpp"

using namespace weir;
using namespace weir::decode::testing;

namespace {

void check(const spec::Stream& stream, std::string_view text) {
  Decoding decoding(stream, 2);
  decoding.file(text, true).finish();
  if (decoding.received() != decoding.rows().size() + decoding.refusals().size() || decoding.holds_back()) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const spec::SourceKind kind : {spec::SourceKind::file, spec::SourceKind::mqtt}) {
    for (const char* const path : {"", "/a", "/a/0/b"}) {
      spec::Stream stream = make_stream(
          spec::FormatKind::json, {key("k"), key("p", "/m/1")},
          {field("v"), field("w", 9, "/m/w"), field("c", 3, "/s/[n=x]/v"), field("d", 0, "/s/[n=y]/m/w")}, kind);
      stream.sources[0].format.array_path = path;
      check(stream, text);
    }
    spec::Stream chosen = make_stream(spec::FormatKind::json, {key("k", "/[n=k]/v")},
                                      {field("c", 3, "/[n=x]/v"), field("d", 0, "/[n=y]/s/[m=z]/v")}, kind);
    chosen.time.field = "/[n=t]/v";
    check(chosen, text);
  }
  return 0;
}
