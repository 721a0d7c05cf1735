// Any bytes as line protocol, as lines and as one payload: nothing crashes, reads past the payload or goes uncounted,
// and text cut in two at a line break gives the same rows and refusals as the whole.
#include <cstdint>
#include <cstdlib>

#include "decode/decoding.hpp"

using namespace weir;
using namespace weir::decode::testing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  // The first byte chooses the options, the second where to cut.
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  for (const spec::SourceKind kind : {spec::SourceKind::file, spec::SourceKind::mqtt}) {
    spec::Stream stream =
        make_stream(spec::FormatKind::line, {key("a"), key("m", "_measurement")}, {field("v"), field("w", 9)}, kind);
    stream.time = {};
    if ((data[0] & 1U) != 0) {
      stream.time.field = "t";
    }
    if ((data[0] & 2U) != 0) {
      stream.sources[0].format.measurements = {"m"};
    }
    Decoding whole(stream, 2);
    whole.file(text, true).finish();
    if (whole.received() != whole.rows().size() + whole.refusals().size() || whole.holds_back()) {
      std::abort();
    }
    const std::size_t line_break = text.find('\n', text.size() * data[1] / 256);
    if (kind != spec::SourceKind::file || line_break == std::string_view::npos) {
      continue;
    }
    Decoding halves(stream, 2);
    halves.file(text.substr(0, line_break + 1), true).file(text.substr(line_break + 1)).finish();
    if (halves.rows() != whole.rows() || halves.refusals() != whole.refusals()) {
      std::abort();
    }
  }
  return 0;
}
