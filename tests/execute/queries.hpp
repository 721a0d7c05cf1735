// Plans written out by hand, for tests of single parts of the room.
#pragma once

#include <numeric>
#include <string>
#include <vector>

#include "batch/key_dictionary.hpp"
#include "plan/plan.hpp"

namespace weir::execute {

/// @brief A query over fields a (2 places) and b (0 places), keys k0 … of a stream, grouped by these.
inline plan::QueryPlan grouped_query(std::vector<std::size_t> group_keys, std::int64_t window = 10,
                                     std::int64_t slide = 10) {
  plan::QueryPlan query;
  query.spec.name = query.shape.query = "q";
  query.field_places = {2, 0};
  for (const std::size_t key : group_keys) {
    query.shape.group_keys.push_back("k" + std::to_string(key));
  }
  query.group_keys = std::move(group_keys);
  query.window_ns = window;
  query.slide_ns = slide;
  query.pane_ns = std::gcd(window, slide);
  return query;
}

inline void select(plan::QueryPlan& query, plan::Aggregate aggregate, batch::ValueType type, int places = 0) {
  query.aggregates.push_back(aggregate);
  query.shape.columns.push_back({"c" + std::to_string(query.aggregates.size()), type, places});
}

inline std::uint32_t intern(batch::KeyDictionary& keys, std::vector<std::string_view> tuple) {
  return keys.intern(tuple).value();
}

}  // namespace weir::execute
