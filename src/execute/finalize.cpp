#include "execute/finalize.hpp"

#include <algorithm>

#include "core/exact.hpp"
#include "ops/evaluate.hpp"
#include "ops/quantile_bins.hpp"

namespace weir::execute {
namespace {

constexpr std::uint32_t kNoEntry = 0xFFFF'FFFF;

/// The order of the keys is no order of memory: what a row is made of is asked for so many rows ahead.
constexpr std::size_t kAhead = 12;
constexpr std::size_t kCacheLine = 64;

batch::Value null_value() noexcept {
  batch::Value value;
  value.null = true;
  return value;
}

batch::Value of_units(Int128 units) noexcept {
  batch::Value value;
  value.units = units;
  return value;
}

batch::Value of_real(double real) noexcept {
  batch::Value value;
  value.real = real;
  return value;
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

Finalizer::Finalizer(const plan::QueryPlan& query, GroupTable& groups)
    : query_(&query),
      groups_(&groups),
      quantile_of_(query.arguments.size()),
      distinct_of_(query.aggregates.size()),
      values_(query.aggregates.size()),
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
  sort_entries(totals);
  std::size_t rows = 0;
  for (std::size_t i = 0; i < entry_order_.size(); ++i) {
    if (i + kAhead < entry_order_.size()) prefetch(totals, entry_order_[i + kAhead]);
    const std::uint32_t entry = entry_order_[i];
    if (totals.counts[entry] == 0) continue;
    const std::uint32_t revision = revisions.empty() ? 0 : revisions[entry];
    if (append_entry(totals, entry, {start_ns, end_ns, revision}, out)) ++rows;
  }
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
  return append_entry(none_, 0, {start_ns, end_ns, 0}, out) ? 1 : 0;
}

void Finalizer::sort_entries(const WindowTotals& totals) {
  const auto entries = static_cast<std::uint32_t>(totals.groups.size());
  entry_order_.clear();
  if (entries == 0) return;
  const std::span<const std::uint32_t> ranks = groups_->ranks();
  // With many of the groups present, one pass over all ranks is cheaper than a sort.
  if (entries >= ranks.size() / 8) {
    entry_of_rank_.assign(ranks.size(), kNoEntry);
    for (std::uint32_t entry = 0; entry < entries; ++entry) {
      entry_of_rank_[ranks[totals.groups[entry]]] = entry;
    }
    for (const std::uint32_t entry : entry_of_rank_) {
      if (entry != kNoEntry) entry_order_.push_back(entry);
    }
    return;
  }
  for (std::uint32_t entry = 0; entry < entries; ++entry) {
    entry_order_.push_back(entry);
  }
  std::sort(entry_order_.begin(), entry_order_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return ranks[totals.groups[a]] < ranks[totals.groups[b]]; });
}

bool Finalizer::append_entry(const WindowTotals& totals, std::size_t entry, const batch::ResultRow& row,
                             batch::ResultTable& out) {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    values_[i] = value_of(totals, entry, i);
  }
  const std::uint32_t group = totals.groups[entry];
  if (!query_->having.empty()) {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      fields_[i] = as_double(values_[i], column(i));
    }
    if (!kept(group)) return false;
  }
  out.append(row, groups_->texts(group), values_.data());
  return true;
}

bool Finalizer::kept(std::uint32_t group) const {
  return ops::evaluate(
             query_->having, [&](std::uint16_t index) { return fields_[index]; },
             [&](std::uint16_t index) { return groups_->having_test(index, group) ? 1.0 : 0.0; }) == 1.0;
}

batch::Value Finalizer::value_of(const WindowTotals& totals, std::size_t entry, std::size_t aggregate) const {
  using plan::AggregateKind;
  const plan::Aggregate& wanted = query_->aggregates[aggregate];
  if (wanted.kind == AggregateKind::count) return of_units(totals.counts[entry]);
  if (wanted.kind == AggregateKind::distinct) {
    return of_units(totals.distincts[entry * distinct_aggregates_ + distinct_of_[aggregate]]);
  }
  const auto index = static_cast<std::size_t>(wanted.argument);
  const ArgumentTotal& total = totals.arguments[entry * query_->arguments.size() + index];
  const int places = query_->arguments[index].places;
  if (total.count == 0) return null_value();
  switch (wanted.kind) {
    case AggregateKind::sum:
      return of_units(total.sum);
    case AggregateKind::avg:
      return of_real(exact_mean(total.sum, total.count, places));
    case AggregateKind::min:
      return of_units(total.min);
    case AggregateKind::max:
      return of_units(total.max);
    case AggregateKind::first:
      return of_units(total.first_value);
    case AggregateKind::last:
      return of_units(total.last_value);
    case AggregateKind::range:
      return of_units(static_cast<Int128>(total.max) - total.min);
    case AggregateKind::stddev:
      if (total.count < 2) return null_value();
      return of_real(exact_stddev(total.sum, total.squares, total.count, total.count - 1, places));
    case AggregateKind::stddev_pop:
      return of_real(exact_stddev(total.sum, total.squares, total.count, total.count, places));
    case AggregateKind::variance:
      if (total.count < 2) return null_value();
      return of_real(exact_variance(total.sum, total.squares, total.count, total.count - 1, places));
    case AggregateKind::variance_pop:
      return of_real(exact_variance(total.sum, total.squares, total.count, total.count, places));
    case AggregateKind::quantile: {
      const QuantileBins& bins = totals.quantiles[entry * quantile_arguments_ + quantile_of_[index]];
      const std::int64_t units = ops::quantile_value(bins.bins, total.count, wanted.quantile, total.min, total.max);
      if (column(aggregate).type == batch::ValueType::real) return of_real(exact_decimal_to_double(units, places));
      return of_units(units);
    }
    case AggregateKind::count:
    case AggregateKind::distinct:
      break;
  }
  return null_value();
}

}  // namespace weir::execute
