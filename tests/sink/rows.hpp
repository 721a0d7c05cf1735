// Tables of result rows for the sinks' tests, with the strings that a table only borrows.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "batch/result_table.hpp"
#include "sink/sink.hpp"
#include "support/temporary_directory.hpp"

namespace weir::sink::test {

inline constexpr std::int64_t kSecond = 1'000'000'000;
inline constexpr std::int64_t kNoon = 1'377'986'400 * kSecond;  // 2013-08-31T22:00:00Z

inline batch::Value count(std::uint64_t value) {
  return {static_cast<Int128>(value), 0.0, false};
}
inline batch::Value units(Int128 value) {
  return {value, 0.0, false};
}
inline batch::Value real(double value) {
  return {0, value, false};
}
inline batch::Value null() {
  return {0, 0.0, true};
}

/// A table that keeps the strings of its groups.
class Rows {
 public:
  explicit Rows(batch::ResultShape shape) : shape_(std::move(shape)), table_(shape_) {}
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  Rows& add(std::int64_t window_end_ns, const std::vector<std::string>& group, const std::vector<batch::Value>& values,
            std::uint32_t revision = 0, std::int64_t window_ns = 128 * kSecond) {
    std::vector<std::string_view> views;
    for (const std::string& key : group) views.emplace_back(strings_.emplace_back(key));
    table_.append({window_end_ns - window_ns, window_end_ns, revision}, views.data(), values.data());
    return *this;
  }
  void clear() {
    table_.clear();
    strings_.clear();
  }
  [[nodiscard]] const batch::ResultShape& shape() const { return shape_; }
  [[nodiscard]] batch::ResultTable& table() { return table_; }

 private:
  batch::ResultShape shape_;
  batch::ResultTable table_;
  std::deque<std::string> strings_;
};

inline batch::ResultShape plug_load() {
  return {"plug_load",
          {"house", "household", "plug"},
          {{"count", batch::ValueType::count, 0},
           {"avg(load)", batch::ValueType::real, 0},
           {"peak", batch::ValueType::decimal, 3},
           {"p99", batch::ValueType::decimal, 6}}};
}

/// A query with one key and one count.
inline batch::ResultShape small(std::string query = "q") {
  return {std::move(query), {"k"}, {{"count", batch::ValueType::count, 0}}};
}

/// @brief A checkpoint of the sink whose files nobody syncs.
inline std::string position_of(Sink& sink) {
  std::vector<FileToSync> to_sync;
  return sink.checkpoint(to_sync);
}

inline std::string message_of(const auto& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace weir::sink::test
