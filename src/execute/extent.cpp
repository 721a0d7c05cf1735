#include "execute/extent.hpp"

namespace weir::execute {

Extent extent_of(const plan::Plan& plan, const plan::QueryPlan& query) {
  const spec::Stream& stream = plan.streams[query.stream].spec;
  std::int64_t ahead = query.per_batch ? 0 : stream.out_of_order.count();
  if (stream.sources.size() > 1) {
    ahead += stream.idle_timeout.count() > 0 ? stream.idle_timeout.count() : stream.max_ahead.count();
  }
  const std::int64_t span = query.window_ns + query.allowed_lateness_ns + ahead;
  Extent extent;
  extent.panes = span / query.pane_ns + 2;
  extent.batch_rows = plan.spec.batch_rows;
  extent.keys = stream.schema.keys.empty() ? 1 : stream.max_keys;
  return extent;
}

}  // namespace weir::execute
