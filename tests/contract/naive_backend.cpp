#include "contract/naive_backend.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "execute/pane_codec.hpp"
#include "ops/evaluate.hpp"
#include "ops/hyperloglog.hpp"
#include "ops/quantile_bins.hpp"
#include "ops/units.hpp"

namespace weir::contract {
namespace {

using execute::ArgumentTotal;
using execute::PaneGroup;

std::int64_t modulo(std::int64_t a, std::int64_t step) {
  return (a % step + step) % step;
}

UInt192 plus(const UInt192& a, const UInt192& b) {
  UInt192 sum;
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const UInt128 limb = static_cast<UInt128>(a.limb[i]) + b.limb[i] + carry;
    sum.limb[i] = static_cast<std::uint64_t>(limb);
    carry = static_cast<std::uint64_t>(limb >> 64U);
  }
  return sum;
}

UInt192 square_of(std::int64_t value) {
  const auto square = static_cast<UInt128>(static_cast<Int128>(value) * value);
  return {{static_cast<std::uint64_t>(square), static_cast<std::uint64_t>(square >> 64U), 0}};
}

ArgumentTotal sum_of(const ArgumentTotal& a, const ArgumentTotal& b) {
  if (a.count == 0) return b;
  if (b.count == 0) return a;
  ArgumentTotal sum;
  sum.count = a.count + b.count;
  sum.sum = a.sum + b.sum;
  sum.squares = plus(a.squares, b.squares);
  sum.min = std::min(a.min, b.min);
  sum.max = std::max(a.max, b.max);
  std::tie(sum.first_time, sum.first_value) =
      std::min(std::pair(a.first_time, a.first_value), std::pair(b.first_time, b.first_value));
  std::tie(sum.last_time, sum.last_value) =
      std::max(std::pair(a.last_time, a.last_value), std::pair(b.last_time, b.last_value));
  return sum;
}

/// The sum of any number of readings, panes or both.
struct Total {
  std::uint64_t rows = 0;
  std::vector<ArgumentTotal> arguments;
  std::vector<std::map<std::int32_t, std::uint64_t>> bins;
  std::vector<std::map<std::uint32_t, std::uint32_t>> ranks;

  void add(const PaneGroup& part) {
    rows += part.rows;
    arguments.resize(part.arguments.size());
    bins.resize(part.quantiles.size());
    ranks.resize(part.distincts.size());
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      arguments[i] = sum_of(arguments[i], part.arguments[i]);
    }
    for (std::size_t i = 0; i < bins.size(); ++i) {
      for (const auto& [bin, count] : part.quantiles[i].bins) {
        bins[i][bin] += count;
      }
    }
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      for (const auto& [index, rank] : part.distincts[i]) {
        ranks[i][index] = std::max(ranks[i][index], rank);
      }
    }
  }

  [[nodiscard]] execute::QuantileBins quantile(std::size_t i) const { return {{bins[i].begin(), bins[i].end()}}; }
};

class NaivePanes final : public execute::QueryPanes {
 public:
  NaivePanes(const plan::QueryPlan& query, execute::WindowConsumer& consumer) : query_(query), consumer_(consumer) {}

  void begin(const batch::Batch& batch, const execute::GroupView& groups) override {
    batch_ = &batch;
    groups_ = groups;
  }

  void accumulate(execute::RowRange rows, const execute::Horizon& horizon) override {
    for (std::uint32_t row = rows.begin; row < rows.end; ++row) {
      take(row, horizon);
    }
  }

  void close(std::int64_t end_ns, std::int64_t keep_from) override {
    const auto groups = window(end_ns);
    answer(end_ns, false, groups);
    panes_.erase(panes_.begin(), panes_.lower_bound(keep_from));
  }

  void take_stragglers(std::vector<execute::Straggler>& out) override {
    out.insert(out.end(), stragglers_.begin(), stragglers_.end());
    stragglers_.clear();
  }

  void revise(std::int64_t end_ns, std::span<const std::uint32_t> wanted) override {
    auto groups = window(end_ns);
    std::erase_if(groups,
                  [&](const auto& entry) { return !std::binary_search(wanted.begin(), wanted.end(), entry.first); });
    answer(end_ns, true, groups);
  }

  void finish(execute::StepCounts& counts, std::vector<std::uint32_t>& late_rows,
              std::size_t late_rows_limit) override {
    counts.counted += counts_.counted;
    counts.filtered += counts_.filtered;
    counts.late += counts_.late;
    counts_ = {};
    late_rows_.resize(std::min(late_rows_.size(), late_rows_limit));
    late_rows.insert(late_rows.end(), late_rows_.begin(), late_rows_.end());
    late_rows_.clear();
  }

  [[nodiscard]] bool occupied(std::int64_t& first_start, std::int64_t& last_end) const override {
    if (panes_.empty()) return false;
    first_start = panes_.begin()->first;
    last_end = panes_.rbegin()->first + query_.pane_ns;
    return true;
  }

  void save(state::SectionWriter& out) const override {
    execute::PaneEncoder encoder(query_, out, panes_.size());
    for (const auto& [start, readings] : panes_) {
      const std::uint64_t rows = std::accumulate(readings.begin(), readings.end(), std::uint64_t{0},
                                                 [](std::uint64_t sum, const PaneGroup& g) { return sum + g.rows; });
      if (!encoder.pane(start, rows)) continue;
      std::map<std::uint32_t, Total> groups;
      for (const PaneGroup& reading : readings) {
        groups[reading.group].add(reading);
      }
      for (const auto& [group, total] : groups) {
        PaneGroup pane{group, total.rows, total.arguments, {}, {}};
        for (std::size_t i = 0; i < total.bins.size(); ++i) {
          pane.quantiles.push_back(total.quantile(i));
        }
        for (const auto& ranks : total.ranks) {
          auto& registers = pane.distincts.emplace_back();
          for (const auto& [index, rank] : ranks) {
            registers.push_back({index, rank});
          }
        }
        encoder.group(pane);
      }
    }
    encoder.finish();
  }

  void load(state::Reader& in, execute::PaneNumbers numbers, std::int64_t /*closed_end*/,
            std::uint32_t groups) override {
    panes_.clear();
    execute::PaneDecoder decoder(query_, in, numbers, groups);
    std::int64_t start = 0;
    PaneGroup group;
    while (decoder.next_pane(start)) {
      while (decoder.next_group(group)) {
        panes_[start].push_back(group);
      }
    }
  }

  [[nodiscard]] std::uint64_t bytes() const override {
    std::uint64_t total = 0;
    for (const auto& [start, readings] : panes_) {
      total += readings.size() * sizeof(PaneGroup);
    }
    return total;
  }

 private:
  [[nodiscard]] double evaluate(const ops::Program& program, std::uint32_t row) const {
    return ops::evaluate(
        program,
        [&](std::uint16_t field) {
          return ops::units_to_double(batch_->field(field)[row], std::pow(10.0, query_.field_places[field]));
        },
        [&](std::uint16_t test) { return groups_.key_tests[test][batch_->keys()[row]] != 0 ? 1.0 : 0.0; });
  }

  void take(std::uint32_t row, const execute::Horizon& horizon) {
    const std::int64_t time = batch_->times()[row];
    const std::uint32_t key = batch_->keys()[row];
    const std::uint32_t group = groups_.group_of == nullptr ? 0 : groups_.group_of[key];
    if (evaluate(query_.where, row) != 1.0 || group == execute::kNoGroup) {
      ++counts_.filtered;
      return;
    }
    std::int64_t pane = horizon.single_pane_start;
    if (!horizon.single_pane) {
      const std::int64_t slide = query_.slide_ns;
      const std::int64_t window = query_.window_ns;
      if (slide > window && modulo(modulo(time, slide) + window, slide) >= window) {
        ++counts_.filtered;
        return;
      }
      if (time < horizon.late_before) {
        ++counts_.late;
        late_rows_.push_back(row);
        return;
      }
      pane = time - modulo(time, query_.pane_ns);
      if (query_.allowed_lateness_ns > 0 && time < horizon.closed_end) stragglers_.push_back({pane, group});
    }
    ++counts_.counted;
    panes_[pane].push_back(reading(row, time, key, group));
  }

  [[nodiscard]] PaneGroup reading(std::uint32_t row, std::int64_t time, std::uint32_t key, std::uint32_t group) const {
    PaneGroup one;
    one.group = group;
    one.rows = 1;
    for (const plan::Argument& argument : query_.arguments) {
      const std::int64_t units =
          argument.field >= 0 ? batch_->field(static_cast<std::size_t>(argument.field))[row]
                              : ops::double_to_units(evaluate(argument.program, row), std::pow(10.0, argument.places));
      ArgumentTotal total;
      if (units != ops::kAbsent) {
        total.count = 1;
        total.squares = square_of(units);
        total.first_time = total.last_time = time;
        total.sum = total.min = total.max = total.first_value = total.last_value = units;
      }
      one.arguments.push_back(total);
      if ((argument.parts & plan::kPartQuantile) != 0) {
        one.quantiles.emplace_back();
        if (units != ops::kAbsent) one.quantiles.back().bins.emplace_back(ops::quantile_bin(units), 1);
      }
    }
    for (const plan::Aggregate& aggregate : query_.aggregates) {
      if (aggregate.kind != plan::AggregateKind::distinct) continue;
      const auto update = ops::hll_update(groups_.key_hashes[static_cast<std::size_t>(aggregate.key)][key]);
      one.distincts.push_back({{update.index, update.rank}});
    }
    return one;
  }

  [[nodiscard]] std::map<std::uint32_t, Total> window(std::int64_t end) const {
    std::map<std::uint32_t, Total> groups;
    for (auto pane = panes_.lower_bound(end - query_.window_ns); pane != panes_.end() && pane->first < end; ++pane) {
      for (const PaneGroup& reading : pane->second) {
        groups[reading.group].add(reading);
      }
    }
    return groups;
  }

  void answer(std::int64_t end, bool revision, const std::map<std::uint32_t, Total>& groups) {
    execute::WindowTotals totals;
    totals.start_ns = end - query_.window_ns;
    totals.end_ns = end;
    totals.revision = revision;
    for (const auto& [group, total] : groups) {
      totals.groups.push_back(group);
      totals.counts.push_back(total.rows);
      totals.arguments.insert(totals.arguments.end(), total.arguments.begin(), total.arguments.end());
      for (std::size_t i = 0; i < total.bins.size(); ++i) {
        totals.quantiles.push_back(total.quantile(i));
      }
      for (const auto& touched : total.ranks) {
        ops::HllRanks ranks;
        ranks.registers[0] = static_cast<std::uint32_t>(ops::kHllRegisters - touched.size());
        for (const auto& [index, rank] : touched) {
          ++ranks.registers[rank];
        }
        totals.distincts.push_back(ops::hll_estimate(ranks));
      }
    }
    consumer_.window(totals);
  }

  const plan::QueryPlan& query_;
  execute::WindowConsumer& consumer_;
  const batch::Batch* batch_ = nullptr;
  execute::GroupView groups_;
  /// [pane start] → readings, or after load() what a pane held of a group.
  std::map<std::int64_t, std::vector<PaneGroup>> panes_;
  std::vector<execute::Straggler> stragglers_;
  execute::StepCounts counts_;
  std::vector<std::uint32_t> late_rows_;
};

class NaiveBackend final : public execute::Backend {
 public:
  [[nodiscard]] std::string name() const override { return "naive"; }
  [[nodiscard]] std::string description() const override { return "keeps every reading; for tests"; }
  batch::ColumnMemory& column_memory() override { return batch::host_column_memory(); }
  [[nodiscard]] execute::MemoryNeed worst_case(const plan::QueryPlan& /*query*/,
                                               const execute::Extent& /*extent*/) const override {
    return {std::numeric_limits<std::uint64_t>::max(), 0};
  }
  std::unique_ptr<execute::QueryPanes> make_panes(const plan::QueryPlan& query, execute::WindowConsumer& consumer,
                                                  const execute::Extent& /*extent*/) override {
    return std::make_unique<NaivePanes>(query, consumer);
  }
};

}  // namespace

std::unique_ptr<execute::Backend> make_naive_backend() {
  return std::make_unique<NaiveBackend>();
}

}  // namespace weir::contract
