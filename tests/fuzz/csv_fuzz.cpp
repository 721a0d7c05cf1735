// Any bytes as CSV: nothing crashes or goes uncounted, and text cut in two at a line break gives the same rows and
// refusals as the whole.
#include <cstdint>
#include <cstdlib>

#include "decode/csv_header.hpp"
#include "decode/decoding.hpp"

using namespace weir;
using namespace weir::decode::testing;

namespace {

/// @param where of 256 parts of the text, the line break after this many is the cut
void check(const spec::Stream& stream, std::string_view text, std::size_t where) {
  const std::size_t line_break = text.find('\n', text.size() * where / 256);
  const std::size_t cut = line_break == std::string_view::npos ? text.size() : line_break + 1;
  Decoding whole(stream, 2);
  whole.file(text, true).finish();
  if (whole.received() != whole.rows().size() + whole.refusals().size() || whole.holds_back()) {
    std::abort();
  }
  Decoding halves(stream, 2);
  halves.file(text.substr(0, cut), true).file(text.substr(cut)).finish();
  if (halves.rows() != whole.rows() || halves.refusals() != whole.refusals()) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  // The first byte chooses the dialect, the second where to cut.
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  spec::Stream stream = make_stream(spec::FormatKind::csv, {key("a"), key("b")}, {field("v")});
  spec::Format& format = stream.sources[0].format;
  format.columns = {"t", "v", "a", "b"};
  format.separator = (data[0] & 1U) != 0 ? " " : ",";
  format.comment = (data[0] & 2U) != 0 ? '#' : '\0';
  format.header = (data[0] & 4U) != 0;
  if ((data[0] & 32U) != 0) {
    format.decimal = ',';
    format.thousands = ".";
    stream.schema.fields[0].strip_unit = (data[0] & 64U) != 0;
    stream.missing = {"NA"};
  }
  if ((data[0] & 128U) != 0) {
    stream.lenient = true;
    stream.schema.fields[0].is_switch = (data[0] & 64U) != 0;
    stream.time.more_fields = {"b"};
    format.skip = 1;
  }
  if ((data[0] & 8U) != 0) {
    // So that most chunks have no room for a row.
    const std::string repeated =
        std::string(text) + std::string(9000, (data[0] & 16U) != 0 ? ' ' : '1') + std::string(text);
    check(stream, repeated, data[1]);
    return 0;
  }
  check(stream, text, data[1]);
  if ((data[0] & 32U) != 0) {
    format.columns.clear();  // the header is taken from the bytes
    check(stream, text, data[1]);
    batch::MessageView beginning;
    beginning.payload = text;
    beginning.starts_file = true;
    (void)decode::look_at_csv(stream, stream.sources[0], beginning);
  }
  return 0;
}
