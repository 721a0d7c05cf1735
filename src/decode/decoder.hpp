// Payload bytes to readings: one decoder a format, one instance a source, used by the stream's decoding thread only.
#pragma once

#include <memory>

#include "batch/message.hpp"
#include "batch/row_writer.hpp"
#include "spec/stream_spec.hpp"

namespace weir::decode {

class Decoder {
 public:
  virtual ~Decoder() = default;
  /// @brief Writes every reading of the message into `rows` (commit or reject each). Never throws on bad input. The
  /// caller has called rows.begin_message(). For line formats a message is a block of whole lines.
  virtual void decode(const batch::MessageView& message, batch::RowWriter& rows) = 0;
};

/// @brief The decoder for a source of a stream. `stream` and `source` must outlive it.
std::unique_ptr<Decoder> make_decoder(const spec::Stream& stream, const spec::Source& source);

}  // namespace weir::decode
