#include "execute/pane_codec.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/error.hpp"
#include "ops/hyperloglog.hpp"
#include "ops/quantile_bins.hpp"

namespace weir::execute {
namespace {

[[noreturn]] void damaged(const std::string& what) {
  throw Error("checkpoint is damaged: " + what);
}

// Group and readings; then count, sum, squares, two extremes, first and last with their times.
constexpr std::size_t kMostHeadBytes = 2 * state::kMostVarintBytes;
constexpr std::size_t kMostArgumentBytes = (1 + 2 + 3 + 6) * state::kMostVarintBytes;

constexpr std::uint64_t difference(std::int64_t to, std::int64_t from) noexcept {
  return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}
constexpr std::int64_t plus(std::int64_t from, std::uint64_t difference) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(from) + difference);
}

void require(bool good, const char* what) {
  if (!good) damaged(what);
}

}  // namespace

std::size_t quantile_arguments(const plan::QueryPlan& query) noexcept {
  return static_cast<std::size_t>(
      std::count_if(query.arguments.begin(), query.arguments.end(),
                    [](const plan::Argument& a) { return (a.parts & plan::kPartQuantile) != 0; }));
}

std::size_t distinct_aggregates(const plan::QueryPlan& query) noexcept {
  return static_cast<std::size_t>(
      std::count_if(query.aggregates.begin(), query.aggregates.end(),
                    [](const plan::Aggregate& a) { return a.kind == plan::AggregateKind::distinct; }));
}

PaneEncoder::PaneEncoder(const plan::QueryPlan& query, state::SectionWriter& out, std::uint64_t panes)
    : PaneEncoder(query, out) {
  out_.u64(panes);
}

PaneEncoder::PaneEncoder(const plan::QueryPlan& query, state::SectionWriter& out)
    : query_(query), section_(out), out_(out.out()) {}

bool PaneEncoder::pane(std::int64_t start_ns, std::uint64_t readings) {
  finish();
  if (!section_.begin_chunk(static_cast<std::uint64_t>(start_ns), readings)) return false;
  out_.i64(start_ns);
  start_ns_ = start_ns;
  next_id_ = 0;
  count_at_ = out_.size();
  out_.u32(0);
  return true;
}

void PaneEncoder::finish() {
  if (count_ > 0) out_.overwrite_u32(count_at_, count_);
  count_ = 0;
  section_.end_chunk();
}

// Through a pointer, with room made once: a checkpoint writes millions of these.
char* PaneEncoder::head(char* to, std::uint32_t id, std::uint64_t rows) noexcept {
  ++count_;
  to = state::put_small_varint(to, id - next_id_);
  next_id_ = id + 1;
  return state::put_small_varint(to, rows);
}

char* PaneEncoder::argument(char* to, std::uint16_t parts, std::uint64_t rows,
                            const ArgumentTotal& total) const noexcept {
  using state::put_small_varint;
  using state::put_varint;
  using state::zigzag;
  to = put_small_varint(to, rows - total.count);
  if (total.count == 0) return to;
  if ((parts & plan::kPartSum) != 0) {
    // As its low 64 bits, signed, and the multiple of 2^64 that is missing then: 0 for every sum of 64 bits.
    const auto low = static_cast<std::int64_t>(static_cast<std::uint64_t>(static_cast<UInt128>(total.sum)));
    const auto rest = static_cast<UInt128>(total.sum) - static_cast<UInt128>(Int128{low});
    to = put_varint(to, zigzag(low));
    to = put_small_varint(to, zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(rest >> 64U))));
  }
  if ((parts & plan::kPartSquares) != 0) {
    for (const std::uint64_t limb : total.squares.limb) to = put_varint(to, limb);
  }
  if ((parts & plan::kPartMinMax) != 0) {
    to = put_varint(to, zigzag(total.min));
    to = put_varint(to, difference(total.max, total.min));
  }
  return (parts & (plan::kPartFirst | plan::kPartLast)) == 0 ? to : first_and_last(to, parts, total);
}

char* PaneEncoder::first_and_last(char* to, std::uint16_t parts, const ArgumentTotal& total) const noexcept {
  using state::put_varint;
  using state::zigzag;
  if ((parts & plan::kPartFirst) != 0) {
    to = put_varint(to, zigzag(static_cast<std::int64_t>(difference(total.first_time, start_ns_))));
    to = put_varint(to, zigzag(total.first_value));
  }
  if ((parts & plan::kPartLast) != 0) {
    to = put_varint(to, zigzag(static_cast<std::int64_t>(difference(total.last_time, start_ns_))));
    to = put_varint(to, zigzag(total.last_value));
  }
  return to;
}

void PaneEncoder::groups(std::uint32_t first, std::span<const std::uint64_t> rows, const ArgumentTotal* totals) {
  const std::span<const plan::Argument> arguments(query_.arguments);
  char* to = out_.space(rows.size() * (kMostHeadBytes + arguments.size() * kMostArgumentBytes));
  for (std::size_t i = 0; i < rows.size(); ++i, totals += arguments.size()) {
    if (rows[i] == 0) continue;
    to = head(to, first + static_cast<std::uint32_t>(i), rows[i]);
    for (std::size_t a = 0; a < arguments.size(); ++a) to = argument(to, arguments[a].parts, rows[i], totals[a]);
  }
  out_.advance(to);
}

void PaneEncoder::group(const PaneGroup& group) {
  out_.advance(head(out_.space(kMostHeadBytes), group.group, group.rows));
  std::size_t quantile = 0;
  for (std::size_t a = 0; a < query_.arguments.size(); ++a) {
    const std::uint16_t parts = query_.arguments[a].parts;
    out_.advance(argument(out_.space(kMostArgumentBytes), parts, group.rows, group.arguments[a]));
    if ((parts & plan::kPartQuantile) == 0) continue;
    const auto& bins = group.quantiles[quantile++].bins;
    out_.varint(bins.size());
    std::int64_t next = 0;
    for (const auto& [bin, count] : bins) {
      out_.varint(state::zigzag(bin - next));
      out_.varint(count);
      next = std::int64_t{bin} + 1;
    }
  }
  for (const auto& registers : group.distincts) {
    out_.varint(registers.size());
    std::uint32_t next = 0;
    for (const HllRegister& touched : registers) {
      out_.varint(touched.index - next);
      out_.u8(static_cast<std::uint8_t>(touched.rank));
      next = touched.index + 1;
    }
  }
}

PaneDecoder::PaneDecoder(const plan::QueryPlan& query, state::Reader& in, PaneNumbers numbers, std::uint32_t groups)
    : query_(query),
      in_(in),
      fixed_(numbers == PaneNumbers::fixed),
      groups_(groups),
      quantiles_(quantile_arguments(query)),
      distincts_(distinct_aggregates(query)),
      panes_left_(in.u64()) {}

bool PaneDecoder::next_pane(std::int64_t& start_ns) {
  require(groups_left_ == 0, "a pane was left half read");
  if (panes_left_ == 0) return false;
  --panes_left_;
  start_ns = in_.i64();
  require(first_pane_ || start_ns > start_ns_, "panes are out of order");
  require(query_.per_batch || start_ns % query_.pane_ns == 0, "a pane starts off the pane's grid");
  first_pane_ = false;
  start_ns_ = start_ns;
  groups_left_ = in_.u32();
  require(groups_left_ > 0 && groups_left_ <= groups_, "a pane's number of groups is impossible");
  next_id_ = 0;
  return true;
}

void PaneDecoder::read_head(PaneGroup& group) {
  const std::uint64_t number = number32();
  const std::uint64_t least = fixed_ ? next_id_ : 0;
  require(number >= least && number - least < groups_ - next_id_, "a pane's groups are out of order or unknown");
  group.group = next_id_ + static_cast<std::uint32_t>(number - least);
  next_id_ = group.group + 1;
  group.rows = number64();
  require(group.rows > 0 && group.rows >> 62U == 0, "a group has an impossible number of readings");
}

void PaneDecoder::read_fixed(std::uint16_t parts, ArgumentTotal& total) {
  total.count = in_.u64();
  if (total.count == 0) return;
  if ((parts & plan::kPartSum) != 0) total.sum = in_.i128();
  if ((parts & plan::kPartSquares) != 0) {
    for (std::uint64_t& limb : total.squares.limb) limb = in_.u64();
  }
  if ((parts & plan::kPartMinMax) != 0) {
    total.min = in_.i64();
    total.max = in_.i64();
  }
  if ((parts & plan::kPartFirst) != 0) {
    total.first_time = in_.i64();
    total.first_value = in_.i64();
  }
  if ((parts & plan::kPartLast) != 0) {
    total.last_time = in_.i64();
    total.last_value = in_.i64();
  }
}

void PaneDecoder::read_compact(std::uint16_t parts, std::uint64_t rows, ArgumentTotal& total) {
  const auto number = [this] { return state::unzigzag(in_.varint()); };
  total.count = rows - in_.varint();
  if (total.count == 0) return;
  if ((parts & plan::kPartSum) != 0) {
    const std::int64_t low = number();
    const std::int64_t high = number();
    total.sum = static_cast<Int128>((static_cast<UInt128>(high) << 64U) + static_cast<UInt128>(Int128{low}));
  }
  if ((parts & plan::kPartSquares) != 0) {
    for (std::uint64_t& limb : total.squares.limb) limb = in_.varint();
  }
  if ((parts & plan::kPartMinMax) != 0) {
    total.min = number();
    total.max = plus(total.min, in_.varint());
  }
  if ((parts & plan::kPartFirst) != 0) {
    total.first_time = plus(start_ns_, static_cast<std::uint64_t>(number()));
    total.first_value = number();
  }
  if ((parts & plan::kPartLast) != 0) {
    total.last_time = plus(start_ns_, static_cast<std::uint64_t>(number()));
    total.last_value = number();
  }
}

void PaneDecoder::read_argument(const plan::Argument& argument, std::uint64_t rows, ArgumentTotal& total) {
  total = {};
  fixed_ ? read_fixed(argument.parts, total) : read_compact(argument.parts, rows, total);
  require(total.count <= rows, "an argument has more values than its group has readings");
  if (total.count == 0) return;
  if ((argument.parts & plan::kPartSum) != 0) {
    const Int128 bound = static_cast<Int128>(total.count) << 63;
    require(total.sum >= -bound && total.sum <= bound, "a sum is beyond what its values can reach");
  }
  require((argument.parts & plan::kPartMinMax) == 0 || total.min <= total.max, "a minimum is above its maximum");
}

void PaneDecoder::read_bins(std::uint64_t values, QuantileBins& quantile) {
  auto& bins = quantile.bins;
  bins.clear();
  std::uint64_t seen = 0;
  for (std::uint64_t left = number32(); left > 0; --left) {
    const std::int64_t after = bins.empty() ? 0 : std::int64_t{bins.back().first} + 1;
    const std::int64_t bin = fixed_ ? static_cast<std::int32_t>(in_.u32())
                                    : plus(after, static_cast<std::uint64_t>(state::unzigzag(in_.varint())));
    const std::uint64_t count = number64();
    require(bin >= -ops::kQuantileLastBin && bin <= ops::kQuantileLastBin, "a quantile bin does not exist");
    require(bins.empty() || bin > bins.back().first, "quantile bins are out of order");
    require(count > 0 && count <= values - seen, "quantile bins hold more than was counted");
    seen += count;
    bins.emplace_back(static_cast<std::int32_t>(bin), count);
  }
  require(seen == values, "quantile bins hold less than was counted");
}

void PaneDecoder::read_registers(std::vector<HllRegister>& registers) {
  registers.clear();
  for (std::uint64_t left = number32(); left > 0; --left) {
    const std::uint64_t after = registers.empty() ? 0 : std::uint64_t{registers.back().index} + 1;
    const std::uint64_t number = number32();
    require(number < ops::kHllRegisters, "a register does not exist");
    const std::uint64_t index = fixed_ ? number : after + number;
    const std::uint32_t rank = in_.u8();
    require(index < ops::kHllRegisters && rank >= 1 && rank <= ops::kHllMaxRank, "a register does not exist");
    require(index >= after, "registers are out of order");
    registers.push_back({static_cast<std::uint32_t>(index), rank});
  }
}

bool PaneDecoder::next_group(PaneGroup& group) {
  if (groups_left_ == 0) return false;
  --groups_left_;
  read_head(group);
  group.arguments.resize(query_.arguments.size());
  group.quantiles.resize(quantiles_);
  group.distincts.resize(distincts_);
  std::size_t quantile = 0;
  for (std::size_t a = 0; a < query_.arguments.size(); ++a) {
    const plan::Argument& argument = query_.arguments[a];
    read_argument(argument, group.rows, group.arguments[a]);
    if ((argument.parts & plan::kPartQuantile) != 0) {
      read_bins(group.arguments[a].count, group.quantiles[quantile++]);
    }
  }
  for (auto& registers : group.distincts) read_registers(registers);
  return true;
}

}  // namespace weir::execute
