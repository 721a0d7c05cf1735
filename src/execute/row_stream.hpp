// The rows of a query as a stream for the queries that read them (semantics §11): its groups are keys, its columns are
// fields, a row's event time is the reading's own, or the last nanosecond of its window. So an hour of rows holds
// exactly its sixty minutes.
//
// Its watermark is the parent's, given by marks between the rows and never by the rows themselves: it stands where the
// parent closed its windows, at the same place among the rows however the readings were cut into batches.
//
// Belongs to the engine's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/batch.hpp"
#include "batch/key_dictionary.hpp"
#include "batch/result_table.hpp"
#include "execute/operator.hpp"
#include "execute/watermark.hpp"
#include "plan/plan.hpp"
#include "state/section_writer.hpp"

namespace weir::execute {

class RowStream {
 public:
  using Reader = std::function<void(const batch::Batch& batch, const WatermarkTrace& trace)>;

  /// Rows handed on at once.
  static constexpr std::uint32_t kRows = 4096;

  /// @param query outlives this
  RowStream(const plan::QueryPlan& query, batch::ColumnMemory& memory);

  /// @param readers the queries that read the rows; they outlive this @param reader runs all of them
  void set_readers(std::vector<Operator*> readers, Reader reader) {
    readers_ = std::move(readers);
    reader_ = std::move(reader);
  }

  /// @brief Hands rows and marks on, in pieces. @param end_of_input no more rows follow
  void add(const batch::ResultTable& table, bool end_of_input);

  [[nodiscard]] const batch::KeyDictionary& keys() const noexcept { return keys_; }
  [[nodiscard]] std::int64_t watermark() const noexcept { return tracker_.watermark(); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return keys_.bytes(); }
  /// @brief The most that it can take.
  [[nodiscard]] static std::uint64_t worst_case_bytes(const plan::QueryPlan& query) noexcept;

  void save(state::SectionWriter& section) const;
  /// @throws Error when the bytes are damaged
  void load(state::Reader& in);

 private:
  void append(const batch::ResultTable& table, std::size_t row);
  [[nodiscard]] std::int64_t units_of(const batch::Value& value, std::size_t column);
  [[nodiscard]] std::optional<std::uint32_t> key_of(const batch::ResultTable& table, std::size_t row);
  void release_keys();
  void mark(const batch::ResultTable::Mark& mark);
  void hand_on(bool end_of_input);

  const plan::QueryPlan* query_;
  Reader reader_;
  batch::KeyDictionary keys_;
  batch::Batch batch_;
  WatermarkTracker tracker_;
  WatermarkTrace trace_;
  std::vector<Operator*> readers_;
  std::uint64_t generation_ = 0;  ///< how often keys were released
  bool told_too_large_ = false;
  bool told_too_many_ = false;
  std::vector<double> scales_;  ///< [column]: of computed values
  std::vector<std::string_view> texts_;
};

}  // namespace weir::execute
