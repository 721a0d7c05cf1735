// Result rows as text: the one place that decides what a row looks like in a file, in an MQTT message and in the C++
// API.
//
// Formatting appends to the caller's buffer and allocates nothing once the buffer has grown. A RowFormat belongs to one
// thread and borrows the shape that it was made for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "batch/result_table.hpp"
#include "spec/pipeline_spec.hpp"

namespace weir::sink {

/// Formats the rows of one query; keeps what repeats from row to row (member names, the window's text).
class RowFormat {
 public:
  explicit RowFormat(const batch::ResultShape& shape, spec::ColumnNames names = spec::ColumnNames::verbatim);

  /// @brief Appends one JSON object without a line end: query, window_start, window_end, group keys, columns, and
  /// `revision` as the last member when it is above 0. Null and non-finite values are `null`.
  void append_json(std::string& out, const batch::ResultTable& table, std::size_t row);

  /// @brief The same, with a last member `id` that stays the same when the row is sent again:
  /// `query|key|...|window_end|revision`, or `query|key|...|time|number` for a reading, which others of its key and
  /// time may follow. Inside of a part '|', '%' and bytes that are not UTF-8 are written %XX.
  void append_json_with_id(std::string& out, const batch::ResultTable& table, std::size_t row);

  /// @brief Appends one CSV line without a line end: the members of the JSON object in the same order, `revision`
  /// always (0 for a first emission), null as an empty field. Quoted as in RFC 4180; bytes of keys stay as they are.
  void append_csv(std::string& out, const batch::ResultTable& table, std::size_t row);

 private:
  void append_members(std::string& out, const batch::ResultTable& table, std::size_t row);
  void render_window(const batch::ResultRow& row);

  const batch::ResultShape& shape_;
  std::vector<std::string> names_;  // `,"house":` for each key, then each column
  std::string json_head_;           // `{"query":"plug_load","window_start":"`
  std::string csv_query_;
  // the window that start_ and end_ spell
  bool window_known_ = false;
  std::int64_t window_start_ns_ = 0;
  std::int64_t window_end_ns_ = 0;
  std::string start_;
  std::string end_;
};

/// @brief One row without what RowFormat keeps between rows: for a row now and then, and for tests.
void append_json_row(std::string& out, const batch::ResultTable& table, std::size_t row);
void append_csv_row(std::string& out, const batch::ResultTable& table, std::size_t row);

/// @brief The CSV header line of a query, without a line end.
void append_csv_header(std::string& out, const batch::ResultShape& shape,
                       spec::ColumnNames names = spec::ColumnNames::verbatim);

/// @brief The name of a column at a sink.
inline const std::string& name_of(const batch::ResultColumn& column, spec::ColumnNames names) noexcept {
  return names == spec::ColumnNames::plain && !column.plain.empty() ? column.plain : column.name;
}

/// @brief Appends a value as JSON: a number, or `null` when it is null or not finite.
void append_json_value(std::string& out, const batch::Value& value, const batch::ResultColumn& column);

/// @brief Appends `text` with quotes. Any bytes: control characters become \u00XX, each maximal part that is not UTF-8
/// becomes U+FFFD (Unicode 15, section 3.9).
void append_json_string(std::string& out, std::string_view text);

/// @brief Appends a CSV field, in quotes only where it holds a comma, a quote or a line end.
void append_csv_field(std::string& out, std::string_view text);

}  // namespace weir::sink
