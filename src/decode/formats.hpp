// One decoder a payload format; make_decoder chooses. Each function's arguments must outlive the decoder.
#pragma once

#include <memory>

#include "decode/decoder.hpp"

namespace weir::decode {

/// @brief JSON documents, arrays of readings, JSON lines (json_decoder.cpp).
std::unique_ptr<Decoder> make_json_decoder(const spec::Stream& stream, const spec::Source& source);
/// @brief Separated values with RFC 4180 quotes, or columns between blanks (csv_decoder.cpp).
std::unique_ptr<Decoder> make_csv_decoder(const spec::Stream& stream, const spec::Source& source);
/// @brief SenML packs, RFC 8428 and the early draft (senml_decoder.cpp).
std::unique_ptr<Decoder> make_senml_decoder(const spec::Stream& stream, const spec::Source& source);
/// @brief Points of InfluxDB's line protocol (line_decoder.cpp).
std::unique_ptr<Decoder> make_line_decoder(const spec::Stream& stream, const spec::Source& source);
/// @brief One number a payload or line (raw_decoder.cpp).
std::unique_ptr<Decoder> make_raw_decoder(const spec::Stream& stream, const spec::Source& source);

/// @brief Whether the source's messages are blocks of whole lines; otherwise each message is one payload.
[[nodiscard]] bool line_oriented(const spec::Source& source) noexcept;

}  // namespace weir::decode
