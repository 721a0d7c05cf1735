#include "execute/row_stream.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/decimal.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "ops/units.hpp"
#include "state/saved_keys.hpp"

namespace weir::execute {
namespace {

// Rows never raise the watermark: beside the one that they come from stands a source that is never heard, so only
// marks do.
constexpr std::size_t kSources = 2;

/// What a schema of rows has for a column; computed values are rounded.
int places_of(const plan::QueryPlan& query, std::size_t column) {
  return query.shape.columns[column].type == batch::ValueType::real ? plan::kRealPlaces
                                                                    : query.shape.columns[column].places;
}

}  // namespace

RowStream::RowStream(const plan::QueryPlan& query, batch::ColumnMemory& memory)
    : query_(&query),
      keys_(query.group_keys.size(), query.max_groups),
      batch_(query.shape.columns.size(), kRows, memory),
      tracker_(kSources, 0),
      texts_(query.group_keys.size()) {
  for (std::size_t column = 0; column < query.shape.columns.size(); ++column) {
    scales_.push_back(static_cast<double>(pow10(places_of(query, column))));
  }
}

void RowStream::add(const batch::ResultTable& table, bool end_of_input) {
  auto mark_at = table.marks.begin();
  for (std::size_t row = 0; row < table.size(); ++row) {
    for (; mark_at != table.marks.end() && mark_at->row <= row; ++mark_at) mark(*mark_at);
    append(table, row);
  }
  for (; mark_at != table.marks.end(); ++mark_at) mark(*mark_at);
  hand_on(end_of_input);
}

void RowStream::mark(const batch::ResultTable::Mark& mark) {
  if (mark.begins_anew) {
    hand_on(false);
    batch_.clock_set_back_ns = mark.clock_ns;
  }
  if (mark.watermark_ns != kNoWatermark) {
    batch_.ticks.push_back({batch_.size(), batch::Tick::Kind::watermark, 0, mark.watermark_ns});
  }
}

void RowStream::append(const batch::ResultTable& table, std::size_t row) {
  if (batch_.size() == batch_.capacity()) hand_on(false);
  const std::optional<std::uint32_t> key = key_of(table, row);
  if (!key) return;
  const std::uint32_t at = batch_.size();
  batch_.times()[at] = table.shape().readings ? table.row(row).window_end_ns : table.row(row).window_end_ns - 1;
  batch_.keys()[at] = *key;
  for (std::size_t column = 0; column < scales_.size(); ++column) {
    const std::int64_t units = units_of(table.value(row, column), column);
    batch_.field(column)[at] = units;
    batch_.may_have_nulls |= units == kNullUnits;
  }
  batch_.set_size(at + 1);
}

std::int64_t RowStream::units_of(const batch::Value& value, std::size_t column) {
  if (value.null) return kNullUnits;
  if (query_->shape.columns[column].type == batch::ValueType::real)
    return ops::double_to_units(value.real, scales_[column]);
  constexpr Int128 kLimit = std::numeric_limits<std::int64_t>::max();
  if (value.units <= kLimit && value.units >= -kLimit) return static_cast<std::int64_t>(value.units);
  if (!std::exchange(told_too_large_, true)) {
    log::warn("query '{}': a value of '{}' needs more than 64 bits: it is null for the queries that read it",
              query_->spec.name, query_->shape.columns[column].name);
  }
  return kNullUnits;
}

std::optional<std::uint32_t> RowStream::key_of(const batch::ResultTable& table, std::size_t row) {
  for (std::size_t key = 0; key < texts_.size(); ++key) texts_[key] = table.group(row, key);
  std::optional<std::uint32_t> id = keys_.intern(texts_);
  if (!id) {
    // Only where keys of the stream are released: else the query has no more groups than this has room for.
    hand_on(false);
    release_keys();
    id = keys_.intern(texts_);
  }
  if (!id && !std::exchange(told_too_many_, true)) {
    log::warn(
        "query '{}': the queries that read its rows still need all of its max_groups = {} groups: rows of further ones "
        "are left out there; raise max_groups",
        query_->spec.name, query_->max_groups);
  }
  return id;
}

void RowStream::release_keys() {
  std::vector<std::uint8_t> kept(keys_.size(), 0);
  for (const Operator* const reader : readers_) reader->pin_keys(kept);
  std::vector<std::uint32_t> ids(kept.size(), kNoKey);
  std::uint32_t next = 0;
  for (std::size_t key = 0; key < kept.size(); ++key) {
    if (kept[key] != 0) ids[key] = next++;
  }
  keys_.keep(kept);
  for (Operator* const reader : readers_) reader->renumber(ids);
  ++generation_;
}

void RowStream::hand_on(bool end_of_input) {
  if (batch_.size() == 0 && batch_.ticks.empty() && !batch_.clock_set_back_ns && !end_of_input) return;
  batch_.end_of_input = end_of_input;
  batch_.key_count = keys_.size();
  if (batch_.size() > 0) batch_.runs.push_back({0, 0});
  tracker_.advance(batch_, trace_);
  reader_(batch_, trace_);
  batch_.clear();
}

std::uint64_t RowStream::worst_case_bytes(const plan::QueryPlan& query) noexcept {
  return batch::Batch::bytes(query.shape.columns.size(), kRows) +
         batch::KeyDictionary::worst_case_bytes(query.group_keys.size(), query.max_groups, query.input.max_key_bytes);
}

void RowStream::save(state::SectionWriter& section) const {
  state::Writer& out = section.out();
  out.u32(keys_.size());
  section.set_generation(generation_);
  state::save_keys(keys_, keys_.size(), section);
  section.set_generation(0);
  out.u64(generation_);
  tracker_.save(out);
}

void RowStream::load(state::Reader& in) {
  std::size_t longest = 0;
  const std::uint32_t keys = in.u32();
  if (!state::load_keys(in, keys, keys_, longest)) {
    throw Error("query '" + query_->spec.name + "': the saved keys of its rows are damaged");
  }
  generation_ = in.u64();
  tracker_.load(in);
}

}  // namespace weir::execute
