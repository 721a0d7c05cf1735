#include "execute/cpu/sketch.hpp"

#include <algorithm>

#include "core/decimal.hpp"
#include "ops/hyperloglog.hpp"
#include "ops/quantile_bins.hpp"

namespace weir::execute::cpu {
namespace {

// Bins of either sign, moved to start at 0; (register, rank) with the rank in the low bits, so that the last code of a
// register holds its largest rank.
constexpr std::int32_t kBinOffset = ops::kQuantileLastBin;
constexpr int kRankBits = 6;
static_assert(ops::kHllMaxRank < 1U << kRankBits);
static_assert(ops::kHllPrecision + kRankBits <= kCodeBits);
static_assert(2 * ops::kQuantileLastBin < 1 << kCodeBits);

std::uint32_t bin_code(std::int32_t bin) noexcept {
  return static_cast<std::uint32_t>(bin + kBinOffset);
}

std::int32_t code_bin(std::uint32_t code) noexcept {
  return static_cast<std::int32_t>(code) - kBinOffset;
}

}  // namespace

std::vector<Sketch> make_sketches(const plan::QueryPlan& query) {
  std::vector<Sketch> sketches;
  std::size_t output = 0;
  for (std::size_t a = 0; a < query.arguments.size(); ++a) {
    if ((query.arguments[a].parts & plan::kPartQuantile) != 0) {
      sketches.emplace_back(Sketch::Kind::quantile, a, output++);
    }
  }
  output = 0;
  for (const plan::Aggregate& aggregate : query.aggregates) {
    if (aggregate.kind == plan::AggregateKind::distinct) {
      sketches.emplace_back(Sketch::Kind::distinct, static_cast<std::size_t>(aggregate.key), output++);
    }
  }
  return sketches;
}

void append_codes(const CodeCounts& pane, std::span<const std::uint32_t> groups, std::vector<GroupCode>& out) {
  pane.each([&](const CodeCounts::Entry& entry) {
    if (groups.empty() || std::binary_search(groups.begin(), groups.end(), entry.group())) {
      out.push_back({entry.group(), entry.code(), entry.count});
    }
  });
}

std::uint64_t Sketch::bytes() const noexcept {
  std::uint64_t bytes = window_.capacity() * sizeof(std::vector<Code>);
  for (const auto& codes : window_) bytes += codes.capacity() * sizeof(Code);
  return bytes;
}

bool Sketch::has_code(const RowSet& rows, std::uint32_t i) const noexcept {
  return kind_ == Kind::distinct || rows.values[source_][i] != kNullUnits;
}

std::uint32_t Sketch::code_of(const RowSet& rows, std::uint32_t i, const std::uint32_t* keys,
                              const std::uint64_t* hashes) const noexcept {
  if (kind_ == Kind::quantile) return bin_code(ops::quantile_bin(rows.values[source_][i]));
  const ops::HllUpdate update = ops::hll_update(hashes[keys[i]]);
  return (update.index << kRankBits) | update.rank;
}

void Sketch::scatter(CodeCounts& pane, const RowSet& rows, const std::uint32_t* keys,
                     const std::uint64_t* hashes) const {
  for (std::uint32_t i = 0; i < rows.size; ++i) {
    if (has_code(rows, i)) pane.add(rows.groups == nullptr ? 0 : rows.groups[i], code_of(rows, i, keys, hashes), 1);
  }
}

void Sketch::scatter_late(CodeCounts& pane, const RowSet& rows, const std::uint32_t* keys,
                          const std::uint64_t* hashes) {
  for (std::uint32_t i = 0; i < rows.size; ++i) {
    if (!has_code(rows, i)) continue;
    const std::uint32_t group = rows.groups == nullptr ? 0 : rows.groups[i];
    const std::uint32_t code = code_of(rows, i, keys, hashes);
    const bool fresh = pane.add(group, code, 1);
    if (kind_ == Kind::quantile || fresh) add_to_window(group, code, 1);
  }
}

void Sketch::merge(CodeCounts& into, const CodeCounts& from) const {
  from.each([&](const CodeCounts::Entry& entry) { into.add(entry.group(), entry.code(), entry.count); });
}

void Sketch::reset(GroupRange groups) noexcept {
  for (std::uint32_t g = groups.begin; g < groups.end; ++g) window_[g].clear();
}

void Sketch::add_to_window(std::uint32_t group, std::uint32_t code, std::uint64_t count) {
  std::vector<Code>& codes = window_[group];
  const auto at = std::lower_bound(codes.begin(), codes.end(), code,
                                   [](const Code& entry, std::uint32_t wanted) { return entry.code < wanted; });
  if (at != codes.end() && at->code == code) {
    at->count += count;
  } else {
    codes.insert(at, {code, count});
  }
}

void Sketch::enter(const CodeCounts& pane, GroupRange groups) {
  pane.each([&](const CodeCounts::Entry& entry) {
    if (entry.group() < groups.begin || entry.group() >= groups.end) return;
    add_to_window(entry.group(), entry.code(), kind_ == Kind::quantile ? entry.count : 1);
  });
}

void Sketch::leave(const CodeCounts& pane, GroupRange groups) {
  pane.each([&](const CodeCounts::Entry& entry) {
    if (entry.group() < groups.begin || entry.group() >= groups.end) return;
    std::vector<Code>& codes = window_[entry.group()];
    const auto at = std::lower_bound(codes.begin(), codes.end(), entry.code(),
                                     [](const Code& held, std::uint32_t wanted) { return held.code < wanted; });
    at->count -= kind_ == Kind::quantile ? entry.count : 1;
    if (at->count == 0) codes.erase(at);
  });
}

void Sketch::emit(std::uint32_t group, WindowTotals& totals, std::size_t entry) const {
  emit(window_[group], totals, entry);
}

void Sketch::emit(std::span<const Code> codes, WindowTotals& totals, std::size_t entry) const {
  if (kind_ == Kind::quantile) {
    auto& bins = totals.quantiles[entry].bins;
    bins.clear();
    for (const Code& code : codes) {
      if (!bins.empty() && bins.back().first == code_bin(code.code)) {
        bins.back().second += code.count;
      } else {
        bins.emplace_back(code_bin(code.code), code.count);
      }
    }
    return;
  }
  ops::HllRanks ranks;
  ranks.registers[0] = ops::kHllRegisters;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::uint32_t index = codes[i].code >> kRankBits;
    if (i + 1 < codes.size() && codes[i + 1].code >> kRankBits == index) continue;
    --ranks.registers[0];
    ++ranks.registers[codes[i].code & ((1U << kRankBits) - 1)];
  }
  totals.distincts[entry] = ops::hll_estimate(ranks);
}

void Sketch::write(std::span<const Code> codes, PaneGroup& group) const {
  if (kind_ == Kind::quantile) {
    auto& bins = group.quantiles[output_].bins;
    bins.clear();
    for (const Code& code : codes) {
      if (!bins.empty() && bins.back().first == code_bin(code.code)) {
        bins.back().second += code.count;
      } else {
        bins.emplace_back(code_bin(code.code), code.count);
      }
    }
    return;
  }
  auto& registers = group.distincts[output_];
  registers.clear();
  for (const Code& code : codes) {
    const HllRegister touched{code.code >> kRankBits, code.code & ((1U << kRankBits) - 1)};
    if (!registers.empty() && registers.back().index == touched.index) {
      registers.back().rank = touched.rank;
    } else {
      registers.push_back(touched);
    }
  }
}

void Sketch::read(const PaneGroup& group, CodeCounts& pane) const {
  if (kind_ == Kind::quantile) {
    for (const auto& [bin, count] : group.quantiles[output_].bins) pane.add(group.group, bin_code(bin), count);
  } else {
    for (const HllRegister& touched : group.distincts[output_]) {
      pane.add(group.group, (touched.index << kRankBits) | touched.rank, 1);
    }
  }
}

}  // namespace weir::execute::cpu
