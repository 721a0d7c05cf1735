#include "execute/cpu/cpu_panes.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/decimal.hpp"
#include "core/instant.hpp"
#include "execute/cpu/closing.hpp"
#include "execute/cpu/worker.hpp"
#include "execute/pane_codec.hpp"
#include "ops/quantile_bins.hpp"

namespace weir::execute::cpu {
namespace {

std::vector<double> scales_of(const std::vector<int>& places) {
  std::vector<double> scales;
  scales.reserve(places.size());
  for (const int p : places) scales.push_back(static_cast<double>(pow10(p)));
  return scales;
}

std::vector<double> argument_scales(const plan::QueryPlan& query) {
  std::vector<double> scales;
  scales.reserve(query.arguments.size());
  for (const plan::Argument& argument : query.arguments) scales.push_back(static_cast<double>(pow10(argument.places)));
  return scales;
}

bool overlapping(const plan::QueryPlan& query) noexcept {
  return query.panes_per_window() > 1 || query.slide_ns < query.window_ns;
}

std::size_t registers_of(const plan::QueryPlan& query) {
  std::size_t most = query.where.registers;
  for (const plan::Argument& argument : query.arguments) most = std::max<std::size_t>(most, argument.program.registers);
  return most;
}

bool any_part(const plan::QueryPlan& query, int parts) noexcept {
  return std::any_of(query.arguments.begin(), query.arguments.end(),
                     [=](const plan::Argument& argument) { return (argument.parts & parts) != 0; });
}

}  // namespace

CpuPanes::CpuPanes(const plan::QueryPlan& query, WindowConsumer& consumer, WorkerPool& workers, const Tuning& tuning)
    : query_(query),
      consumer_(consumer),
      workers_(workers),
      tuning_(tuning),
      sections_(make_sections(query)),
      sketches_(make_sketches(query)),
      scales_(scales_of(query.field_places)),
      argument_scales_(argument_scales(query)),
      filter_(query.where, scales_),
      direct_(!overlapping(query)),
      needs_times_(any_part(query, plan::kPartFirst | plan::kPartLast)),
      needs_keys_(distinct_aggregates(query) > 0),
      cell_bytes_(0),
      quantiles_(quantile_arguments(query)),
      distincts_(distinct_aggregates(query)),
      panes_(sections_, sketches_.size(), overlapping(query), query.max_groups, memory_->cells()),
      window_begin_(kNothingClosed),
      entered_end_(kNothingClosed),
      front_end_(kNothingClosed) {
  for (const auto& section : sections_) cell_bytes_ += section->raw_bytes();
  for (unsigned id = 0; id < workers_.threads(); ++id) {
    scratch_.push_back(std::make_unique<Worker>(id, query_.arguments.size(), registers_of(query_)));
  }
  closing_ = std::make_unique<Closing>();
}

CpuPanes::~CpuPanes() {
  finish_images();
}

void CpuPanes::make_room(std::uint32_t groups) {
  groups_ = std::max(groups_, groups);
  if (groups_ <= room_) return;
  room_ = panes_.capacity_for(groups_);
  if (!direct_) {
    for (const auto& section : sections_) section->grow(room_);
  }
  for (Sketch& sketch : sketches_) sketch.grow(room_);
}

void CpuPanes::begin(const batch::Batch& batch, const GroupView& groups) {
  batch_ = &batch;
  view_ = groups;
  make_room(groups.group_of == nullptr ? 1 : groups.groups);
  fields_.clear();
  for (std::size_t f = 0; f < batch.fields(); ++f) fields_.push_back(batch.field(f));
  input_ = {fields_.data(), scales_.data(), batch.keys(), view_.key_tests.data()};
  if (view_.group_of != nullptr) {
    while (same_ids_ < view_.keys && view_.group_of[same_ids_] == same_ids_) ++same_ids_;
    identity_ = same_ids_ == view_.keys;
  }
  nulls_ = std::any_of(query_.arguments.begin(), query_.arguments.end(), [&](const plan::Argument& argument) {
    return argument.nullable && (argument.field < 0 || batch.may_have_nulls);
  });
}

void CpuPanes::finish(StepCounts& counts, std::vector<std::uint32_t>& late_rows, std::size_t late_rows_limit) {
  counts.counted += counts_.counted;
  counts.filtered += counts_.filtered;
  counts.late += counts_.late;
  counts_ = {};
  const auto taken = static_cast<std::ptrdiff_t>(std::min(late_rows_limit, late_rows_.size()));
  late_rows.insert(late_rows.end(), late_rows_.begin(), late_rows_.begin() + taken);
  late_rows_.clear();
}

void CpuPanes::take_stragglers(std::vector<Straggler>& out) {
  out.insert(out.end(), stragglers_.begin(), stragglers_.end());
  stragglers_.clear();
}

bool CpuPanes::occupied(std::int64_t& first_start, std::int64_t& last_end) const {
  if (panes_.size() == 0) return false;
  first_start = panes_.start(0);
  last_end = saturating_add(panes_.start(panes_.size() - 1), query_.pane_ns);
  return true;
}

std::uint64_t CpuPanes::bytes() const {
  std::uint64_t bytes = sizeof(*this) + panes_.bytes() + memory_->bytes();
  if (!direct_) {
    for (const auto& section : sections_) bytes += section->window_bytes() * room_;
  }
  for (const Sketch& sketch : sketches_) bytes += sketch.bytes();
  bytes += totals_.groups.capacity() * sizeof(std::uint32_t) + totals_.counts.capacity() * sizeof(std::uint64_t) +
           totals_.arguments.capacity() * sizeof(ArgumentTotal) + totals_.quantiles.capacity() * sizeof(QuantileBins) +
           totals_.distincts.capacity() * sizeof(std::uint64_t);
  bytes += closing_->bytes();
  for (const auto& worker : scratch_) {
    bytes += sizeof(Worker) + worker->registers.bytes() + 2 * query_.arguments.size() * sizeof(ChunkColumn);
  }
  return bytes;
}

MemoryNeed CpuPanes::worst_case(const plan::QueryPlan& query, const Extent& extent, unsigned threads) {
  const auto sections = make_sections(query);
  const bool fronts = overlapping(query);
  const PaneLayout layout(sections, fronts);
  const std::uint32_t groups = query.max_groups;
  const auto live = static_cast<std::uint64_t>(std::max<std::int64_t>(extent.panes, 1));
  const std::uint64_t quantiles = quantile_arguments(query);
  const std::uint64_t distincts = distinct_aggregates(query);

  // In the store, which keeps up to four times the places that it needs, in the pool and in a close's lists.
  const std::uint64_t pointers = 4 * (sizeof(std::int64_t) + sizeof(void*)) + 6 * sizeof(void*);
  const std::uint64_t tables = (quantiles + distincts) * sizeof(CodeCounts);
  MemoryNeed need;
  need.host_bytes = live * (layout.bytes(groups, fronts) + sizeof(Pane) + pointers + tables);

  // Shadows are of panes that are being filled: those of the live ones that no window to close soon waits for.
  const auto filled =
      static_cast<std::uint64_t>(std::max<std::int64_t>(extent.panes - query.panes_per_window() + 1, 1));
  const std::uint64_t shadows = (threads - 1) * std::min<std::uint64_t>(filled, Tuning{}.shadows_per_worker);
  need.host_bytes += shadows * (layout.bytes(groups, false) + sizeof(Pane) + pointers + tables);

  if (fronts) {
    for (const auto& section : sections) need.host_bytes += section->window_bytes() * groups;
  }
  need.host_bytes += (quantiles + distincts) * groups * sizeof(std::vector<Sketch::Code>);
  need.host_bytes +=
      groups * (sizeof(std::uint32_t) + sizeof(std::uint64_t) + query.arguments.size() * sizeof(ArgumentTotal) +
                quantiles * sizeof(QuantileBins) + distincts * sizeof(std::uint64_t));
  need.host_bytes +=
      sizeof(CpuPanes) + threads * (sizeof(Worker) + registers_of(query) * ops::kColumnRows * sizeof(double) +
                                    2 * query.arguments.size() * sizeof(ChunkColumn));

  // A sketch with so many codes in each pane: its tables (of a thread one may grow at once), the window's codes in
  // vectors that are half full, and what a checkpoint or the revision of a window puts in order.
  const auto of_codes = [&](std::uint64_t codes) {
    const auto ordered =
        static_cast<std::uint64_t>(query.allowed_lateness_ns > 0 ? query.panes_per_window() : std::int64_t{1});
    return (live + shadows) * CodeCounts::worst_case_bytes(codes) + threads * CodeCounts::worst_case_bytes(codes) / 2 +
           2 * codes * sizeof(Sketch::Code) + 2 * ordered * codes * sizeof(GroupCode);
  };
  // A group has no more codes of a distinct() than it has keys, whatever the number of groups.
  need.host_bytes += distincts * of_codes(extent.keys);
  const std::uint64_t bins = std::uint64_t{groups} * ops::kQuantileBins;
  need.histogram_bytes = quantiles * (of_codes(bins) + 2 * bins * sizeof(std::pair<std::int32_t, std::uint64_t>));
  return need;
}

}  // namespace weir::execute::cpu
