// A payload that is one number: "21.5". The keys come from the topic, the time is the arrival.
#include <vector>

#include "decode/formats.hpp"
#include "decode/lines.hpp"
#include "decode/reading_writer.hpp"

namespace weir::decode {
namespace {

class RawDecoder final : public Decoder {
 public:
  RawDecoder(const spec::Stream& stream, const spec::Source& source)
      : writer_(stream, source), lines_(line_oriented(source)), values_(writer_.slots()) {}

  void read(const batch::MessageView& message, batch::RowWriter& rows) override {
    writer_.begin_message(message, rows);
    const std::string_view payload = without_byte_order_mark(message.payload);
    if (!lines_) {
      reading(payload, rows);
      return;
    }
    for (std::size_t at = 0; at < payload.size();) {
      const std::string_view line = next_line(payload, at);
      if (!trimmed(line).empty()) {
        reading(line, rows);
      }
    }
  }

 private:
  void reading(std::string_view text, batch::RowWriter& rows) {
    // The first field is the number; an empty payload is not one.
    if (writer_.field_slot(0) < values_.size()) {
      values_[writer_.field_slot(0)] = {trimmed(text), Token::Kind::text};
    }
    writer_.write(values_, text, rows);
  }

  ReadingWriter writer_;
  const bool lines_;
  std::vector<Token> values_;
};

}  // namespace

std::unique_ptr<Decoder> make_raw_decoder(const spec::Stream& stream, const spec::Source& source) {
  return std::make_unique<RawDecoder>(stream, source);
}

}  // namespace weir::decode
