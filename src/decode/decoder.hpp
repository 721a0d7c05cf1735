// Payload bytes to readings: one decoder a format, one instance a source, used by the stream's decoding thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "batch/message.hpp"
#include "batch/row_writer.hpp"
#include "spec/stream_spec.hpp"

namespace weir::decode {

/// One reading may be so long. A message with an array of them may be longer (max_message).
inline constexpr std::size_t kLongestReading = std::size_t{1} << 20U;

class Decoder {
 public:
  virtual ~Decoder() = default;
  /// @brief Writes every reading of the message into `rows` (commit or reject each). Never throws on bad input. The
  /// caller has called rows.begin_message(). For line formats a message is a block of whole lines.
  /// A message that its source refused counts as one malformed reading.
  void decode(const batch::MessageView& message, batch::RowWriter& rows) {
    if (message.refused) [[unlikely]] {
      rows.reject(*message.refused, message.payload);
      return;
    }
    read(message, rows);
  }

  /// @brief The source has ended: writes what was held back, e.g. a quoted CSV record whose end never came. The caller
  /// has called rows.begin_message() (the last message's values will do).
  virtual void finish(batch::RowWriter& rows) { static_cast<void>(rows); }

  /// @brief Bytes of an earlier message are held back and not yet in any row: a checkpoint that is taken now would lose
  /// them, for the source goes on after that message.
  [[nodiscard]] virtual bool holds_back() const noexcept { return false; }

  /// @brief Replaces `state` by what a decoder of the same source needs to go on behind the last message, if it holds
  /// nothing back: the header line of a CSV file. Empty: nothing.
  virtual void save(std::string& state) const { state.clear(); }
  /// @brief Before the first message: goes on as the decoder did that saved this.
  virtual void load(std::string_view state) { static_cast<void>(state); }

 private:
  /// decode() of a message that is to be read.
  virtual void read(const batch::MessageView& message, batch::RowWriter& rows) = 0;
};

/// @brief The decoder for a source of a stream. `stream` and `source` must outlive it.
/// @throws ConfigError on a time format or zone that cannot be read
std::unique_ptr<Decoder> make_decoder(const spec::Stream& stream, const spec::Source& source);

/// The most memory that a decoder takes.
struct DecoderNeed {
  std::uint64_t kept_bytes = 0;     ///< by each decoder, from message to message
  std::uint64_t message_bytes = 0;  ///< while it decodes: the decoders of a stream take turns
};
/// @param max_message bytes of the longest message or line
DecoderNeed decoder_need(const spec::Stream& stream, const spec::Source& source, std::uint64_t max_message);

}  // namespace weir::decode
