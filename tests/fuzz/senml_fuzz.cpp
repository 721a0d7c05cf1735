// Any bytes as SenML, by record and by name, as lines and as one payload, live and recorded: nothing crashes or goes
// uncounted.
#include <cstdint>
#include <cstdlib>

#include "decode/decoding.hpp"

using namespace weir;
using namespace weir::decode::testing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const spec::SourceKind kind : {spec::SourceKind::file, spec::SourceKind::mqtt}) {
    for (const char* const path : {"n", "bn", "source"}) {
      spec::Stream stream = make_stream(spec::FormatKind::senml, {key("k", path)},
                                        {field("a", 3, path == std::string_view("n") ? "v" : ""), field("b")}, kind);
      stream.time = {};
      for (const std::int64_t arrival : {Decoding::kArrival, std::int64_t{0}}) {
        Decoding decoding(stream, 2);
        decoding.arrival = arrival;
        decoding.file(text, true).finish();
        if (decoding.received() != decoding.rows().size() + decoding.refusals().size() || decoding.holds_back()) {
          std::abort();
        }
      }
    }
  }
  return 0;
}
