// The shape of a stream's readings, and how its payloads are read.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace weir {

/// An exact decimal field.
struct Field {
  Field(std::string the_name, int the_places = 6)
      : name(std::move(the_name)),
        places(the_places) {
  }  // NOLINT(*-explicit-*): {"temperature", 3} and "temperature" read as in the configuration
  Field(const char* the_name) : name(the_name) {}  // NOLINT(*-explicit-*)
  std::string name;
  int places = 6;         ///< decimal places kept, 0 … 18
  std::string path;       ///< JSON pointer; empty: the member or column `name`
  bool required = false;  ///< a reading without it is malformed; otherwise it is null there
};

enum class Format { json, csv, senml, raw, line };

struct Schema {
  std::vector<std::string> keys;  ///< which sensor: payload members, columns, or "{name}" of an MQTT topic
  std::vector<Field> fields;
  std::string time;                ///< member or column that holds the event time; empty: the arrival instant
  std::string time_unit = "auto";  ///< auto, s, ms, us, ns or rfc3339
  std::string zone = "UTC";        ///< of times without one
  Format format = Format::json;
  std::vector<std::string> columns;  ///< csv: names; empty: the file's first line
  std::string separator = ",";       ///< csv: " " stands for any run of blanks
  std::chrono::nanoseconds out_of_order{0};
  std::chrono::nanoseconds idle_timeout{0};  ///< 0: never idle
  bool dedupe = false;
  std::uint32_t max_remembered = 1'000'000;  ///< with dedupe: readings that a repeat is looked for among
  std::uint32_t max_keys = 100'000;          ///< different key tuples; readings with more are malformed
  std::chrono::nanoseconds key_ttl{0};       ///< a tuple silent for so long gives its place to a new one; 0: never
  std::uint32_t max_key_bytes = 256;         ///< of the texts of one reading's keys together
};

}  // namespace weir
