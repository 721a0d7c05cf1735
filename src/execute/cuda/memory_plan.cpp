#include "execute/cuda/memory_plan.hpp"

#include <algorithm>

#include "execute/cuda/chunk_upload.hpp"
#include "execute/cuda/key_tables.hpp"
#include "execute/cuda/pane_snapshot.hpp"
#include "execute/cuda/plan_image.hpp"
#include "execute/pane_codec.hpp"
#include "ops/hyperloglog.hpp"

namespace weir::execute::cuda {
namespace {

constexpr std::uint64_t kCode = 2 * sizeof(std::uint64_t);  ///< its key and its count
constexpr std::uint64_t kWord = sizeof(kernels::Word);
/// Ranks that a register of a pane meets before it is done: many more readings raise few of them.
constexpr std::uint64_t kRanks = 8;

}  // namespace

MemoryPlan::MemoryPlan(const plan::QueryPlan& query, const Extent& extent, const Tuning& tuning)
    : panes(static_cast<std::uint64_t>(std::max<std::int64_t>(extent.panes, 1))),
      groups(std::max(query.max_groups, 1U)),
      keys(std::max(extent.keys, 1U)),
      batch_rows(std::max(extent.batch_rows, 1U)),
      chunk_rows(std::min(batch_rows, tuning.chunk_rows)),
      copy_groups(std::min(groups, tuning.copy_entries)),
      overlapping(query.panes_per_window() > 1 || query.slide_ns < query.window_ns),
      sorts_rows(tuning.accumulation == Accumulation::sorted ||
                 (tuning.accumulation == Accumulation::automatic && !query.group_keys.empty())),
      revisions(query.allowed_lateness_ns > 0) {
  const CellLayout layout(query);
  words = layout.words();
  front_words = overlapping ? layout.front_words() : 0;
  pairs = layout.pairs();
  const std::uint64_t quantiles = quantile_arguments(query);
  const std::uint64_t distincts = distinct_aggregates(query);
  if (quantiles + distincts == 0) return;
  pane_codes = quantiles * groups * tuning.assumed_bins +
               distincts * std::min({std::uint64_t{tuning.assumed_keys}, std::uint64_t{keys},
                                     kRanks * ops::kHllRegisters * std::uint64_t{groups}});
  pending_codes = std::max<std::uint64_t>(tuning.pending_codes, (quantiles + distincts) * chunk_rows);
  const std::uint64_t window = query.panes_per_window() > 1 ? 2 * pane_codes : pane_codes;
  window_codes = window + pane_codes;
  revised_codes = revisions && query.panes_per_window() > 1 ? window : 0;
}

kernels::AlgorithmSizes MemoryPlan::algorithms() const noexcept {
  return {groups, sorts_rows ? chunk_rows : 0U, pending_codes, window_codes};
}

std::uint64_t MemoryPlan::device_bytes(const plan::QueryPlan& query, const kernels::Device& device) const {
  const std::uint64_t cells = std::uint64_t{groups} * words * kWord;
  const std::uint64_t rows = batch_rows * (sizeof(std::uint32_t) + (revisions ? sizeof(kernels::StragglerEntry) : 0)) +
                             chunk_rows * ((pairs ? sizeof(void*) : 0) +
                                           (sorts_rows ? 2 * (sizeof(std::uint64_t) + sizeof(std::uint32_t)) : 0));
  const std::uint64_t ring =
      panes * (sizeof(std::uint32_t) + cells + std::uint64_t{groups} * front_words * kWord + pane_codes * kCode);
  const std::uint64_t codes = pane_codes == 0
                                  ? 0
                                  : pending_codes * 3 * sizeof(std::uint64_t) + (panes + 2) * sizeof(std::uint64_t) +
                                        (overlapping ? 3 : 2) * window_codes * kCode + revised_codes * kCode;
  const std::uint64_t derived = (overlapping ? cells : 0) + groups * sizeof(std::uint8_t);
  const std::uint64_t window = cells + groups * 2 * sizeof(std::uint32_t);
  const std::uint64_t result = cells + groups * (revisions ? 2 : 1) * sizeof(std::uint32_t) +
                               kSizes * sizeof(std::uint32_t) + 2 * panes * sizeof(void*);
  return PlanImage::planned_bytes(query) + KeyTables::planned_bytes(query, keys, groups) +
         ChunkUpload::planned_bytes(query, chunk_rows, panes).device + kernels::kCounters * sizeof(std::uint64_t) +
         rows + ring + codes + derived + window + kResults * result + PaneSnapshot::kStages * cells +
         device.scratch_bytes(algorithms());
}

std::uint64_t MemoryPlan::pinned_bytes(const plan::QueryPlan& query) const {
  const std::uint64_t codes = pane_codes == 0 ? 0 : (panes + 2) * sizeof(std::uint64_t);
  const std::uint64_t result =
      kSizes * sizeof(std::uint32_t) + 2 * panes * sizeof(void*) + (revisions ? groups * sizeof(std::uint32_t) : 0);
  return ChunkUpload::planned_bytes(query, chunk_rows, panes).host + kernels::kCounters * sizeof(std::uint64_t) +
         panes * sizeof(std::uint32_t) + codes + kResults * result + copy_groups * sizeof(std::uint32_t) +
         std::uint64_t{copy_groups} * words * kWord + panes * groups * words * kWord;
}

std::uint64_t MemoryPlan::host_bytes(const plan::QueryPlan& query) const {
  const std::uint64_t quantiles = quantile_arguments(query);
  const std::uint64_t distincts = distinct_aggregates(query);
  const std::uint64_t totals =
      groups * (sizeof(std::uint32_t) + sizeof(std::uint64_t) + query.arguments.size() * sizeof(ArgumentTotal) +
                quantiles * sizeof(QuantileBins) + distincts * sizeof(std::uint64_t));
  // Fetched codes of each result, and bins of quantiles, whose vectors are at least half full; those of a snapshot.
  return pinned_bytes(query) + totals + (kResults + 2) * window_codes * kCode + panes * pane_codes * kCode;
}

}  // namespace weir::execute::cuda
