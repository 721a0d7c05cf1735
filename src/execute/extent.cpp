#include "execute/extent.hpp"

#include "execute/row_stream.hpp"

namespace weir::execute {

Extent extent_of(const plan::Plan& plan, const plan::QueryPlan& query) {
  Extent extent;
  extent.keys = query.input.schema.keys.empty() ? 1 : query.input.max_keys;
  extent.batch_rows = query.parent ? RowStream::kRows : plan.spec.batch_rows;
  // Rows of windows raise their own watermark; those that are readings come in the readings' order.
  const plan::QueryPlan* first = &query;
  while (first->parent && plan.queries[*first->parent].readings) first = &plan.queries[*first->parent];
  std::int64_t ahead = 0;
  if (!first->parent) {
    const spec::Stream& stream = plan.streams[query.stream].spec;
    ahead = query.per_batch ? 0 : stream.out_of_order.count();
    if (stream.sources.size() > 1) {
      ahead += stream.idle_timeout.count() > 0 ? stream.idle_timeout.count() : stream.max_ahead.count();
    }
  }
  extent.panes = (query.window_ns + query.allowed_lateness_ns + ahead) / query.pane_ns + 2;
  return extent;
}

}  // namespace weir::execute
