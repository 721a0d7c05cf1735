// A simulated reading as a payload: JSON, CSV, SenML, line protocol, or a bare number. See simulator.hpp for what a
// reading holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "source/simulator.hpp"

namespace weir::source {

/// @brief "s0007"
void append_sensor(std::string& out, std::uint32_t sensor);
/// @brief "plant/A/s0007/state": what `plant/{line}/{sensor}/state` captures from.
void append_topic(std::string& out, const SimulatedReading& reading);
/// @brief One JSON object, no newline; a malformed reading as its defect says.
void append_json(std::string& out, const SimulatedReading& reading);
/// @brief The names of the columns, no newline.
std::string_view csv_header() noexcept;
/// @brief One CSV line, no newline; nothing in it needs quotes.
void append_csv(std::string& out, const SimulatedReading& reading);
/// @brief One SenML pack (RFC 8428) with a record a quantity, no newline. Name and base time stand in the first record.
void append_senml(std::string& out, const SimulatedReading& reading);
/// @brief One point of InfluxDB's line protocol with the tags line and sensor, no newline.
void append_line(std::string& out, const SimulatedReading& reading);
/// @brief As the format says; raw is the temperature alone.
void append_reading(std::string& out, const SimulatedReading& reading, spec::FormatKind format);

}  // namespace weir::source
