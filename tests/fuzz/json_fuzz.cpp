// Any bytes as JSON, as lines and as one payload, plain and with readings inside the document: nothing crashes, reads
// past the payload, or goes uncounted.
#include <cstdint>
#include <cstdlib>

#include "decode/decoding.hpp"

using namespace weir;
using namespace weir::decode::testing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const spec::SourceKind kind : {spec::SourceKind::file, spec::SourceKind::mqtt}) {
    for (const char* const path : {"", "/a", "/a/0/b"}) {
      spec::Stream stream =
          make_stream(spec::FormatKind::json, {key("k"), key("p", "/m/1")}, {field("v"), field("w", 9, "/m/w")}, kind);
      stream.sources[0].format.array_path = path;
      Decoding decoding(stream, 2);
      decoding.file(text);
      if (decoding.received() != decoding.rows().size() + decoding.refusals().size()) {
        std::abort();
      }
    }
  }
  return 0;
}
