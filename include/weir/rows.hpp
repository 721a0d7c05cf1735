// The rows of one batch, as for_each_batch() sees them. Valid during the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

namespace batch {
class ResultTable;
}

class Rows {
 public:
  explicit Rows(const batch::ResultTable& table) : table_(&table) {}

  [[nodiscard]] std::string_view query() const;
  [[nodiscard]] std::size_t size() const;     ///< rows
  [[nodiscard]] std::size_t keys() const;     ///< group keys of a row
  [[nodiscard]] std::size_t columns() const;  ///< aggregates, or values of a reading
  [[nodiscard]] std::string_view key_name(std::size_t key) const;
  [[nodiscard]] std::string_view column_name(std::size_t column) const;

  /// Nanoseconds since the Unix epoch; for readings both are the event time.
  [[nodiscard]] std::int64_t window_start_ns(std::size_t row) const;
  [[nodiscard]] std::int64_t window_end_ns(std::size_t row) const;
  [[nodiscard]] std::uint32_t revision(std::size_t row) const;  ///< 0: first emission
  [[nodiscard]] std::string_view key(std::size_t row, std::size_t key) const;
  /// The nearest double; nothing where there is no value.
  [[nodiscard]] std::optional<double> value(std::size_t row, std::size_t column) const;
  /// The exact text, "null" where there is no value.
  [[nodiscard]] std::string text(std::size_t row, std::size_t column) const;
  /// The row as a line of JSON, without the line break.
  [[nodiscard]] std::string json(std::size_t row) const;

 private:
  const batch::ResultTable* table_;
};

}  // namespace weir
