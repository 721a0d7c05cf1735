#include "execute/finalize.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "core/exact.hpp"
#include "ops/evaluate.hpp"
#include "ops/quantile_bins.hpp"

namespace weir::execute {
namespace {

constexpr std::uint32_t kNoEntry = 0xFFFF'FFFF;

/// Rows that are made together, column by column. The order of the keys is no order of memory: what a row is made of is
/// asked for while the block before is made.
constexpr std::size_t kBlock = 64;
/// Rows that one thread makes at a time, and rows that all threads make before the table may be spilt.
constexpr std::size_t kPiece = 512;
constexpr std::size_t kStretch = 8 * kPiece;
constexpr std::size_t kCacheLine = 64;

// Values are set where they stay: a copy right after would wait until these stores of different widths have drained.
void set_null(batch::Value& value) noexcept {
  value.units = 0;
  value.real = 0.0;
  value.null = true;
}

void set_units(batch::Value& value, Int128 units) noexcept {
  value.units = units;
  value.real = 0.0;
  value.null = false;
}

void set_real(batch::Value& value, double real) noexcept {
  value.units = 0;
  value.real = real;
  value.null = false;
}

double as_double(const batch::Value& value, const batch::ResultColumn& column) noexcept {
  if (value.null) return ops::kNullValue;
  switch (column.type) {
    case batch::ValueType::count:
      return static_cast<double>(static_cast<std::uint64_t>(value.units));
    case batch::ValueType::decimal:
      return exact_decimal_to_double(value.units, column.places);
    case batch::ValueType::real:
      return value.real;
  }
  return ops::kNullValue;
}

}  // namespace

Finalizer::Finalizer(const plan::QueryPlan& query, GroupTable& groups, Backend* backend)
    : query_(&query),
      groups_(&groups),
      backend_(backend),
      quantile_of_(query.arguments.size()),
      distinct_of_(query.aggregates.size()),
      hidden_(kBlock * query.hidden_columns.size()),
      fields_(query.having.empty() ? 0 : query.aggregates.size()) {
  for (std::size_t i = 0; i < query.arguments.size(); ++i) {
    if ((query.arguments[i].parts & plan::kPartQuantile) != 0) quantile_of_[i] = quantile_arguments_++;
  }
  for (std::size_t i = 0; i < query.aggregates.size(); ++i) {
    if (query.aggregates[i].kind == plan::AggregateKind::distinct) distinct_of_[i] = distinct_aggregates_++;
  }
  none_.groups.assign(1, 0);
  none_.counts.assign(1, 0);
  none_.arguments.resize(query.arguments.size());
  none_.quantiles.resize(quantile_arguments_);
  none_.distincts.assign(distinct_aggregates_, 0);
}

const batch::ResultColumn& Finalizer::column(std::size_t aggregate) const noexcept {
  const std::size_t selected = query_->shape.columns.size();
  return aggregate < selected ? query_->shape.columns[aggregate] : query_->hidden_columns[aggregate - selected];
}

std::size_t Finalizer::append(const WindowTotals& totals, std::int64_t start_ns, std::int64_t end_ns,
                              std::span<const std::uint32_t> revisions, batch::ResultTable& out) {
  const std::span<const std::uint32_t> entries = sorted_entries(totals, revisions.empty());
  std::size_t rows = 0;
  for (std::size_t first = 0; first < entries.size(); first += kStretch) {
    const auto stretch = entries.subspan(first, std::min(kStretch, entries.size() - first));
    rows += append_entries(totals, stretch, {start_ns, end_ns, 0}, revisions, out);
  }
  return rows;
}

std::size_t Finalizer::append_entries(const WindowTotals& totals, std::span<const std::uint32_t> entries,
                                      const batch::ResultRow& row, std::span<const std::uint32_t> revisions,
                                      batch::ResultTable& out) {
  const std::size_t keys = query_->group_keys.size();
  const std::size_t columns = query_->shape.columns.size();
  const batch::ResultTable::Room room = out.extend(entries.size());
  const auto piece = [&](std::size_t i) {
    const std::size_t last = std::min((i + 1) * kPiece, entries.size());
    for (std::size_t first = i * kPiece; first < last; first += kBlock) {
      for (std::size_t e = first + kBlock; e < std::min(first + 2 * kBlock, last); ++e) prefetch(totals, entries[e]);
      set_rows(totals, entries.subspan(first, std::min(kBlock, last - first)), row, revisions,
               {room.rows + first, room.groups + first * keys, room.values + first * columns});
    }
  };
  const std::size_t pieces = (entries.size() + kPiece - 1) / kPiece;
  if (backend_ != nullptr && pieces > 1) {
    backend_->run_pieces(pieces, std::cref(piece));
  } else {
    for (std::size_t i = 0; i < pieces; ++i) piece(i);
  }
  const std::size_t rows = query_->having.empty() ? entries.size() : keep_rows(totals, entries, room, out);
  if (spill_ && out.size() >= spill_rows_) spill_(out);
  return rows;
}

void Finalizer::prefetch(const WindowTotals& totals, std::uint32_t entry) const noexcept {
  const std::size_t bytes = query_->arguments.size() * sizeof(ArgumentTotal);
  const char* const arguments = reinterpret_cast<const char*>(totals.arguments.data()) + entry * bytes;
  for (std::size_t at = 0; at < bytes; at += kCacheLine) {
    __builtin_prefetch(arguments + at);
  }
  __builtin_prefetch(&totals.counts[entry]);
  __builtin_prefetch(groups_->texts(totals.groups[entry]));
}

std::size_t Finalizer::append_empty(std::int64_t start_ns, std::int64_t end_ns, batch::ResultTable& out) {
  static constexpr std::array<std::uint32_t, 1> kOnly{0};
  return append_entries(none_, kOnly, {start_ns, end_ns, 0}, {}, out);
}

std::span<const std::uint32_t> Finalizer::sorted_entries(const WindowTotals& totals, bool all_have_readings) {
  const auto entries = static_cast<std::uint32_t>(totals.groups.size());
  entry_order_.clear();
  if (entries == 0) return {};
  const std::span<const std::uint32_t> ranks = groups_->ranks();
  // With all of them present, entries are groups.
  if (entries == ranks.size() && all_have_readings) return groups_->ordered();
  // With many of the groups present, one pass over all ranks is cheaper than a sort.
  if (entries >= ranks.size() / 8) {
    entry_of_rank_.assign(ranks.size(), kNoEntry);
    for (std::uint32_t entry = 0; entry < entries; ++entry) {
      entry_of_rank_[ranks[totals.groups[entry]]] = entry;
    }
    for (const std::uint32_t entry : entry_of_rank_) {
      if (entry != kNoEntry && totals.counts[entry] > 0) entry_order_.push_back(entry);
    }
    return entry_order_;
  }
  for (std::uint32_t entry = 0; entry < entries; ++entry) {
    if (totals.counts[entry] > 0) entry_order_.push_back(entry);
  }
  std::sort(entry_order_.begin(), entry_order_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return ranks[totals.groups[a]] < ranks[totals.groups[b]]; });
  return entry_order_;
}

void Finalizer::set_rows(const WindowTotals& totals, std::span<const std::uint32_t> entries,
                         const batch::ResultRow& row, std::span<const std::uint32_t> revisions,
                         const batch::ResultTable::Room& room) const {
  const std::size_t keys = query_->group_keys.size();
  const std::size_t columns = query_->shape.columns.size();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    room.rows[i] = row;
    if (!revisions.empty()) room.rows[i].revision = revisions[entries[i]];
    std::copy_n(groups_->texts(totals.groups[entries[i]]), keys, room.groups + i * keys);
  }
  for (std::size_t c = 0; c < columns; ++c) {
    set_column(totals, entries, c, room.values + c, columns);
  }
}

std::size_t Finalizer::keep_rows(const WindowTotals& totals, std::span<const std::uint32_t> entries,
                                 const batch::ResultTable::Room& room, batch::ResultTable& out) {
  const std::size_t keys = query_->group_keys.size();
  const std::size_t columns = query_->shape.columns.size();
  const std::size_t hidden = query_->hidden_columns.size();
  std::size_t rows = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i % kBlock == 0) {
      const auto block = entries.subspan(i, std::min(kBlock, entries.size() - i));
      for (std::size_t h = 0; h < hidden; ++h) {
        set_column(totals, block, columns + h, hidden_.data() + h, hidden);
      }
    }
    for (std::size_t f = 0; f < fields_.size(); ++f) {
      const batch::Value& value =
          f < columns ? room.values[i * columns + f] : hidden_[i % kBlock * hidden + f - columns];
      fields_[f] = as_double(value, column(f));
    }
    if (!kept(totals.groups[entries[i]])) continue;
    room.rows[rows] = room.rows[i];
    std::copy_n(room.groups + i * keys, keys, room.groups + rows * keys);
    std::copy_n(room.values + i * columns, columns, room.values + rows * columns);
    ++rows;
  }
  out.drop_last(entries.size() - rows);
  return rows;
}

bool Finalizer::kept(std::uint32_t group) const {
  return ops::evaluate(
             query_->having, [&](std::uint16_t index) { return fields_[index]; },
             [&](std::uint16_t index) { return groups_->having_test(index, group) ? 1.0 : 0.0; }) == 1.0;
}

void Finalizer::set_column(const WindowTotals& totals, std::span<const std::uint32_t> entries, std::size_t aggregate,
                           batch::Value* values, std::size_t stride) const {
  using plan::AggregateKind;
  const plan::Aggregate& wanted = query_->aggregates[aggregate];
  if (wanted.kind == AggregateKind::count && wanted.argument < 0) {
    for (const std::uint32_t entry : entries) {
      set_units(*values, totals.counts[entry]);
      values += stride;
    }
    return;
  }
  if (wanted.kind == AggregateKind::distinct) {
    for (const std::uint32_t entry : entries) {
      set_units(*values, totals.distincts[entry * distinct_aggregates_ + distinct_of_[aggregate]]);
      values += stride;
    }
    return;
  }
  const auto index = static_cast<std::size_t>(wanted.argument);
  const int places = query_->arguments[index].places;
  // The value of each entry that has at least so many values of the argument; the others are null.
  const auto each = [&](std::uint64_t least, const auto& set) {
    const ArgumentTotal* const arguments = totals.arguments.data() + index;
    const std::size_t width = query_->arguments.size();
    for (const std::uint32_t entry : entries) {
      const ArgumentTotal& total = arguments[entry * width];
      if (total.count >= least) {
        set(*values, total, entry);
      } else {
        set_null(*values);
      }
      values += stride;
    }
  };
  using Total = const ArgumentTotal&;
  using batch::Value;
  switch (wanted.kind) {
    case AggregateKind::count:
      return each(0, [](Value& value, Total total, auto) { set_units(value, total.count); });
    case AggregateKind::sum:
      return each(1, [](Value& value, Total total, auto) { set_units(value, total.sum); });
    case AggregateKind::avg:
      return each(
          1, [=](Value& value, Total total, auto) { set_real(value, exact_mean(total.sum, total.count, places)); });
    case AggregateKind::min:
      return each(1, [](Value& value, Total total, auto) { set_units(value, total.min); });
    case AggregateKind::max:
      return each(1, [](Value& value, Total total, auto) { set_units(value, total.max); });
    case AggregateKind::first:
      return each(1, [](Value& value, Total total, auto) { set_units(value, total.first_value); });
    case AggregateKind::last:
      return each(1, [](Value& value, Total total, auto) { set_units(value, total.last_value); });
    case AggregateKind::range:
      return each(
          1, [](Value& value, Total total, auto) { set_units(value, static_cast<Int128>(total.max) - total.min); });
    case AggregateKind::stddev:
      return each(2, [=](Value& value, Total total, auto) {
        set_real(value, exact_stddev(total.sum, total.squares, total.count, total.count - 1, places));
      });
    case AggregateKind::stddev_pop:
      return each(1, [=](Value& value, Total total, auto) {
        set_real(value, exact_stddev(total.sum, total.squares, total.count, total.count, places));
      });
    case AggregateKind::variance:
      return each(2, [=](Value& value, Total total, auto) {
        set_real(value, exact_variance(total.sum, total.squares, total.count, total.count - 1, places));
      });
    case AggregateKind::variance_pop:
      return each(1, [=](Value& value, Total total, auto) {
        set_real(value, exact_variance(total.sum, total.squares, total.count, total.count, places));
      });
    case AggregateKind::quantile: {
      const bool real = column(aggregate).type == batch::ValueType::real;
      return each(1, [&](Value& value, Total total, std::uint32_t entry) {
        const QuantileBins& bins = totals.quantiles[entry * quantile_arguments_ + quantile_of_[index]];
        const std::int64_t units = ops::quantile_value(bins.bins, total.count, wanted.quantile, total.min, total.max);
        real ? set_real(value, exact_decimal_to_double(units, places)) : set_units(value, units);
      });
    }
    case AggregateKind::distinct:
      break;
  }
}

}  // namespace weir::execute
