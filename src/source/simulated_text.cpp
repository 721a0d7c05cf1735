#include "source/simulated_text.hpp"

#include <fmt/format.h>

#include <iterator>

#include "core/decimal.hpp"

namespace weir::source {
namespace {

constexpr std::string_view kNoise = "#ERR 7F: bus timeout";

char line_of(std::uint32_t sensor) noexcept {
  return static_cast<char>('A' + sensor % 4);
}

std::string_view status_of(const SimulatedReading& reading) noexcept {
  return reading.warning ? "warn" : "ok";
}

/// A quantity, or what a defect puts in its place: in all of them, so that a stream of any one field sees it.
void append_quantity(std::string& out, const SimulatedReading& reading, std::int64_t units, int places,
                     std::string_view word) {
  switch (reading.defect) {
    case Defect::word_for_number:
      out += word;
      break;
    case Defect::number_too_large:
      out += "1e40";
      break;
    default:
      append_decimal(out, units, places);
  }
}

/// Cuts what was appended since `begin` to its first half.
void cut(std::string& out, std::size_t begin) {
  out.resize(begin + (out.size() - begin) / 2);
}

}  // namespace

void append_sensor(std::string& out, std::uint32_t sensor) {
  fmt::format_to(std::back_inserter(out), "s{:04}", sensor);
}

void append_topic(std::string& out, const SimulatedReading& reading) {
  fmt::format_to(std::back_inserter(out), "plant/{}/s{:04}/state", line_of(reading.sensor), reading.sensor);
}

void append_json(std::string& out, const SimulatedReading& reading) {
  if (reading.defect == Defect::noise) {
    out += kNoise;
    return;
  }
  const std::size_t begin = out.size();
  fmt::format_to(std::back_inserter(out), R"({{"sensor":"s{:04}","line":"{}")", reading.sensor,
                 line_of(reading.sensor));
  if (reading.defect != Defect::no_time) {
    out += R"(,"t":)";
    append_decimal(out, reading.time_ns, 6);
  }
  out += R"(,"temperature":)";
  append_quantity(out, reading, reading.temperature, 3, R"("n/a")");
  out += R"(,"vibration":)";
  append_quantity(out, reading, reading.vibration, 6, R"("n/a")");
  out += R"(,"power":)";
  append_quantity(out, reading, reading.power, 2, R"("n/a")");
  fmt::format_to(std::back_inserter(out), R"(,"status":"{}"}})", status_of(reading));
  if (reading.defect == Defect::cut_off) {
    cut(out, begin);
  }
}

std::string_view csv_header() noexcept {
  return "t,sensor,line,temperature,vibration,power,status";
}

void append_csv(std::string& out, const SimulatedReading& reading) {
  if (reading.defect == Defect::noise) {
    out += kNoise;
    return;
  }
  const std::size_t begin = out.size();
  if (reading.defect != Defect::no_time) {
    append_decimal(out, reading.time_ns, 6);
  }
  fmt::format_to(std::back_inserter(out), ",s{:04},{},", reading.sensor, line_of(reading.sensor));
  append_quantity(out, reading, reading.temperature, 3, "n/a");
  out += ',';
  append_quantity(out, reading, reading.vibration, 6, "n/a");
  out += ',';
  append_quantity(out, reading, reading.power, 2, "n/a");
  out += ',';
  out += status_of(reading);
  if (reading.defect == Defect::cut_off) {
    cut(out, begin);
  }
}

void append_senml(std::string& out, const SimulatedReading& reading) {
  if (reading.defect == Defect::noise) {
    out += kNoise;
    return;
  }
  const std::size_t begin = out.size();
  fmt::format_to(std::back_inserter(out), R"([{{"bn":"s{:04}/",)", reading.sensor);
  // A time of 1 s is relative to now (RFC 8428, 4.5.3), so a missing one is no defect there; a word for it is.
  out += R"("bt":)";
  if (reading.defect == Defect::no_time) {
    out += R"("n/a")";
  } else {
    append_decimal(out, reading.time_ns, 9);
  }
  out += R"(,"n":"temperature","u":"Cel","v":)";
  append_quantity(out, reading, reading.temperature, 3, R"("n/a")");
  out += R"(},{"n":"vibration","u":"m/s","v":)";
  append_quantity(out, reading, reading.vibration, 6, R"("n/a")");
  out += R"(},{"n":"power","u":"W","v":)";
  append_quantity(out, reading, reading.power, 2, R"("n/a")");
  fmt::format_to(std::back_inserter(out), R"(}},{{"n":"line","vs":"{}"}},{{"n":"status","vs":"{}"}}])",
                 line_of(reading.sensor), status_of(reading));
  if (reading.defect == Defect::cut_off) {
    cut(out, begin);
  }
}

void append_line(std::string& out, const SimulatedReading& reading) {
  if (reading.defect == Defect::noise) {
    out += kNoise.substr(1);  // with its '#' it would be a comment
    return;
  }
  fmt::format_to(std::back_inserter(out), "machines,line={},sensor=s{:04} temperature=", line_of(reading.sensor),
                 reading.sensor);
  append_quantity(out, reading, reading.temperature, 3, "n/a");
  out += ",vibration=";
  append_quantity(out, reading, reading.vibration, 6, "n/a");
  out += ",power=";
  append_quantity(out, reading, reading.power, 2, "n/a");
  if (reading.defect == Defect::cut_off) {
    out += ",status=";  // cut off elsewhere it could still be a point
    return;
  }
  fmt::format_to(std::back_inserter(out), ",status=\"{}\" ", status_of(reading));
  // A point without a timestamp has its arrival's, so a missing one is no defect; a word for it is.
  if (reading.defect == Defect::no_time) {
    out += "n/a";
  } else {
    append_decimal(out, reading.time_ns, 0);
  }
}

void append_reading(std::string& out, const SimulatedReading& reading, spec::FormatKind format) {
  switch (format) {
    case spec::FormatKind::json:
      append_json(out, reading);
      break;
    case spec::FormatKind::csv:
      append_csv(out, reading);
      break;
    case spec::FormatKind::senml:
      append_senml(out, reading);
      break;
    case spec::FormatKind::line:
      append_line(out, reading);
      break;
    case spec::FormatKind::raw:
      // Half a number would be a number: every defect but the large number is noise here.
      if (reading.defect == Defect::none || reading.defect == Defect::number_too_large) {
        append_quantity(out, reading, reading.temperature, 3, {});
      } else {
        out += kNoise;
      }
      break;
  }
}

}  // namespace weir::source
