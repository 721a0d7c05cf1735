// Result rows on their way from the engine to the sinks, in columns. Rows of one window lie together, sorted by group
// keys bytewise; windows by end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/int128.hpp"

namespace weir::batch {

enum class ValueType : std::uint8_t {
  count,    ///< unsigned integer
  decimal,  ///< exact: units of 10^-places
  real      ///< IEEE double
};

struct Value {
  Int128 units = 0;   ///< count and decimal
  double real = 0.0;  ///< real
  bool null = false;  ///< no value, e.g. avg of a field that was null in every reading
};

struct ResultColumn {
  std::string name;  ///< the alias, or the aggregate's text
  ValueType type = ValueType::count;
  int places = 0;
  std::string plain{};  ///< the name at a sink that wants plain ones
};

/// What every table of a query has in common; lives as long as the query.
struct ResultShape {
  std::string query;
  std::vector<std::string> group_keys;
  std::vector<ResultColumn> columns;
  bool readings = false;  ///< rows are readings: both window instants are the event time, printed as "time"
};

struct ResultRow {
  std::int64_t window_start_ns;
  std::int64_t window_end_ns;
  std::uint32_t revision;    ///< 0: first emission
  std::uint64_t number = 0;  ///< of a reading: how many rows of the query came before it, over all restarts
};

class ResultTable {
 public:
  explicit ResultTable(const ResultShape& shape) : shape_(&shape) {}
  [[nodiscard]] const ResultShape& shape() const noexcept { return *shape_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] const ResultRow& row(std::size_t i) const { return rows_[i]; }
  [[nodiscard]] std::string_view group(std::size_t i, std::size_t key) const {
    return groups_[i * shape_->group_keys.size() + key];
  }
  [[nodiscard]] const Value& value(std::size_t i, std::size_t column) const {
    return values_[i * shape_->columns.size() + column];
  }

  /// Rows to be set in place: every member of each row, group key and value.
  struct Room {
    ResultRow* rows;
    std::string_view* groups;  ///< [row * group keys + key]
    Value* values;             ///< [row * columns + column]
  };
  /// @brief Appends `rows` rows that the caller sets. Valid until the next call that appends.
  Room extend(std::size_t rows) {
    while (size_ + rows > rows_.size()) grow();
    const std::size_t first = std::exchange(size_, size_ + rows);
    return {rows_.data() + first, groups_.data() + first * shape_->group_keys.size(),
            values_.data() + first * shape_->columns.size()};
  }
  /// @brief Appends a row: shape().group_keys.size() views (kept by the caller at least until clear()) and
  /// shape().columns.size() values.
  void append(const ResultRow& row, const std::string_view* group, const Value* values) {
    const Room room = extend(1);
    *room.rows = row;
    std::copy_n(group, shape_->group_keys.size(), room.groups);
    std::copy_n(values, shape_->columns.size(), room.values);
  }
  /// @brief Takes the last `rows` rows back.
  void drop_last(std::size_t rows) noexcept { size_ -= rows; }
  void clear() noexcept {
    size_ = 0;
    marks.clear();
  }

  /// Before row `row` the watermark of the rows, for those that read them, rises to `watermark_ns`.
  struct Mark {
    std::size_t row;
    std::int64_t watermark_ns;
    bool begins_anew = false;   ///< it was set back to there, and the arrival clock to clock_ns
    std::int64_t clock_ns = 0;  ///< with begins_anew
  };
  std::vector<Mark> marks;  ///< ascending rows; only of a query whose rows are read
  void mark(std::int64_t watermark_ns) { marks.push_back({size_, watermark_ns}); }
  /// The batch interval that produced the rows, for print(): its end in arrival time.
  std::int64_t batch_end_ns = 0;
  /// The rows belong to the same batch as those of the table before: a large result comes in pieces.
  bool continues = false;

 private:
  void grow() {
    const std::size_t rows = rows_.empty() ? 64 : rows_.size() * 2;
    rows_.resize(rows);
    groups_.resize(rows * shape_->group_keys.size());
    values_.resize(rows * shape_->columns.size());
  }

  const ResultShape* shape_;
  // Rows from size_ on are room for more: a table that is filled and emptied for ever is not written twice.
  std::size_t size_ = 0;
  std::vector<ResultRow> rows_;
  std::vector<std::string_view> groups_;
  std::vector<Value> values_;
};

}  // namespace weir::batch
