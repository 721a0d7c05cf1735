#include "execute/pane_codec.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "ops/hyperloglog.hpp"
#include "ops/quantile_bins.hpp"

namespace weir::execute {
namespace {

[[noreturn]] void damaged(const std::string& what) {
  throw Error("checkpoint is damaged: " + what);
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
    : query_(query), section_(out), out_(out.out()) {
  out_.u64(panes);
}

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

void PaneEncoder::arguments(const ArgumentTotal* totals, const std::vector<QuantileBins>* quantiles) {
  std::size_t quantile = 0;
  for (std::size_t a = 0; a < query_.arguments.size(); ++a) {
    const std::uint16_t parts = query_.arguments[a].parts;
    const ArgumentTotal& total = totals[a];
    out_.u64(total.count);
    if (total.count > 0) {
      if ((parts & plan::kPartSum) != 0) out_.i128(total.sum);
      if ((parts & plan::kPartSquares) != 0) {
        for (const std::uint64_t limb : total.squares.limb) out_.u64(limb);
      }
      if ((parts & plan::kPartMinMax) != 0) {
        out_.i64(total.min);
        out_.i64(total.max);
      }
      if ((parts & plan::kPartFirst) != 0) {
        out_.i64(total.first_time);
        out_.i64(total.first_value);
      }
      if ((parts & plan::kPartLast) != 0) {
        out_.i64(total.last_time);
        out_.i64(total.last_value);
      }
    }
    if (quantiles != nullptr && (parts & plan::kPartQuantile) != 0) {
      const auto& bins = (*quantiles)[quantile++].bins;
      out_.u32(static_cast<std::uint32_t>(bins.size()));
      for (const auto& [bin, count] : bins) {
        out_.u32(static_cast<std::uint32_t>(bin));
        out_.u64(count);
      }
    }
  }
}

void PaneEncoder::group(std::uint32_t id, std::uint64_t rows, const ArgumentTotal* totals) {
  ++count_;
  out_.u32(id);
  out_.u64(rows);
  arguments(totals, nullptr);
}

void PaneEncoder::group(const PaneGroup& group) {
  ++count_;
  out_.u32(group.group);
  out_.u64(group.rows);
  arguments(group.arguments.data(), &group.quantiles);
  for (const auto& registers : group.distincts) {
    out_.u32(static_cast<std::uint32_t>(registers.size()));
    for (const HllRegister& touched : registers) {
      out_.u32(touched.index);
      out_.u8(static_cast<std::uint8_t>(touched.rank));
    }
  }
}

PaneDecoder::PaneDecoder(const plan::QueryPlan& query, state::Reader& in, std::uint32_t groups)
    : query_(query), in_(in), groups_(groups), panes_left_(in.u64()) {}

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
  group.quantiles.resize(quantile_arguments(query_));
  group.distincts.resize(distinct_aggregates(query_));
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
