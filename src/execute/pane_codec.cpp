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

constexpr std::size_t kGroupBytes = 4 + 8;
// Count, sum, squares, two extremes, first and last with their times.
constexpr std::size_t kMostArgumentBytes = 8 + 16 + 24 + 6 * 8;

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
  count_at_ = out_.size();
  out_.u32(0);
  return true;
}

void PaneEncoder::finish() {
  if (count_ > 0) out_.overwrite_u32(count_at_, count_);
  count_ = 0;
  section_.end_chunk();
}

// Through a pointer, with room made once: a checkpoint writes millions of these while the engine waits.
char* PaneEncoder::argument(char* to, std::uint16_t parts, const ArgumentTotal& total) const noexcept {
  const auto put = [&to](std::uint64_t value) {
    value = state::little_endian(value);
    std::memcpy(to, &value, sizeof value);
    to += sizeof value;
  };
  const auto put_signed = [&put](std::int64_t value) { put(static_cast<std::uint64_t>(value)); };
  put(total.count);
  if (total.count == 0) return to;
  if ((parts & plan::kPartSum) != 0) {
    put(static_cast<std::uint64_t>(total.sum));
    put(static_cast<std::uint64_t>(static_cast<UInt128>(total.sum) >> 64U));
  }
  if ((parts & plan::kPartSquares) != 0) {
    for (const std::uint64_t limb : total.squares.limb) put(limb);
  }
  if ((parts & plan::kPartMinMax) != 0) {
    put_signed(total.min);
    put_signed(total.max);
  }
  if ((parts & plan::kPartFirst) != 0) {
    put_signed(total.first_time);
    put_signed(total.first_value);
  }
  if ((parts & plan::kPartLast) != 0) {
    put_signed(total.last_time);
    put_signed(total.last_value);
  }
  return to;
}

void PaneEncoder::group(std::uint32_t id, std::uint64_t rows, const ArgumentTotal* totals) {
  ++count_;
  char* to = out_.space(kGroupBytes + query_.arguments.size() * kMostArgumentBytes);
  id = state::little_endian(id);
  std::memcpy(to, &id, sizeof id);
  to += sizeof id;
  rows = state::little_endian(rows);
  std::memcpy(to, &rows, sizeof rows);
  to += sizeof rows;
  for (const plan::Argument& argument : query_.arguments) to = this->argument(to, argument.parts, *totals++);
  out_.advance(to);
}

void PaneEncoder::group(const PaneGroup& group) {
  ++count_;
  out_.u32(group.group);
  out_.u64(group.rows);
  std::size_t quantile = 0;
  for (std::size_t a = 0; a < query_.arguments.size(); ++a) {
    const std::uint16_t parts = query_.arguments[a].parts;
    out_.advance(argument(out_.space(kMostArgumentBytes), parts, group.arguments[a]));
    if ((parts & plan::kPartQuantile) == 0) continue;
    const auto& bins = group.quantiles[quantile++].bins;
    out_.u32(static_cast<std::uint32_t>(bins.size()));
    for (const auto& [bin, count] : bins) {
      out_.u32(static_cast<std::uint32_t>(bin));
      out_.u64(count);
    }
  }
  for (const auto& registers : group.distincts) {
    out_.u32(static_cast<std::uint32_t>(registers.size()));
    for (const HllRegister& touched : registers) {
      out_.u32(touched.index);
      out_.u8(static_cast<std::uint8_t>(touched.rank));
    }
  }
}

PaneDecoder::PaneDecoder(const plan::QueryPlan& query, state::Reader& in, std::uint32_t groups)
    : query_(query),
      in_(in),
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
  first_group_ = true;
  return true;
}

void PaneDecoder::read_argument(const plan::Argument& argument, std::uint64_t rows, ArgumentTotal& total) {
  total = {};
  total.count = in_.u64();
  require(total.count <= rows, "an argument has more values than its group has readings");
  if (total.count == 0) return;
  if ((argument.parts & plan::kPartSum) != 0) {
    total.sum = in_.i128();
    const Int128 bound = static_cast<Int128>(total.count) << 63;
    require(total.sum >= -bound && total.sum <= bound, "a sum is beyond what its values can reach");
  }
  if ((argument.parts & plan::kPartSquares) != 0) {
    for (std::uint64_t& limb : total.squares.limb) limb = in_.u64();
  }
  if ((argument.parts & plan::kPartMinMax) != 0) {
    total.min = in_.i64();
    total.max = in_.i64();
    require(total.min <= total.max, "a minimum is above its maximum");
  }
  if ((argument.parts & plan::kPartFirst) != 0) {
    total.first_time = in_.i64();
    total.first_value = in_.i64();
  }
  if ((argument.parts & plan::kPartLast) != 0) {
    total.last_time = in_.i64();
    total.last_value = in_.i64();
  }
}

bool PaneDecoder::next_group(PaneGroup& group) {
  if (groups_left_ == 0) return false;
  --groups_left_;
  group.group = in_.u32();
  require(group.group < groups_ && (first_group_ || group.group > group_),
          "a pane's groups are out of order or unknown");
  first_group_ = false;
  group_ = group.group;
  group.rows = in_.u64();
  require(group.rows > 0 && group.rows >> 62U == 0, "a group has an impossible number of readings");
  group.arguments.resize(query_.arguments.size());
  group.quantiles.resize(quantiles_);
  group.distincts.resize(distincts_);
  std::size_t quantile = 0;
  for (std::size_t a = 0; a < query_.arguments.size(); ++a) {
    const plan::Argument& argument = query_.arguments[a];
    read_argument(argument, group.rows, group.arguments[a]);
    if ((argument.parts & plan::kPartQuantile) != 0) {
      auto& bins = group.quantiles[quantile++].bins;
      bins.clear();
      std::uint64_t values = 0;
      for (std::uint32_t left = in_.u32(); left > 0; --left) {
        const auto bin = static_cast<std::int32_t>(in_.u32());
        const std::uint64_t count = in_.u64();
        require(bin >= -ops::kQuantileLastBin && bin <= ops::kQuantileLastBin, "a quantile bin does not exist");
        require(bins.empty() || bin > bins.back().first, "quantile bins are out of order");
        require(count > 0 && count <= group.arguments[a].count - values, "quantile bins hold more than was counted");
        values += count;
        bins.emplace_back(bin, count);
      }
      require(values == group.arguments[a].count, "quantile bins hold less than was counted");
    }
  }
  for (auto& registers : group.distincts) {
    registers.clear();
    for (std::uint32_t left = in_.u32(); left > 0; --left) {
      const std::uint32_t index = in_.u32();
      const std::uint32_t rank = in_.u8();
      require(index < ops::kHllRegisters && rank >= 1 && rank <= ops::kHllMaxRank, "a register does not exist");
      require(registers.empty() || index > registers.back().index, "registers are out of order");
      registers.push_back({index, rank});
    }
  }
  return true;
}

}  // namespace weir::execute
