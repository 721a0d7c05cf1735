// The queries of the contract suite, each twice: as a user writes it, and as the oracle computes it.
#pragma once

#include <string>
#include <vector>

#include "oracle/oracle.hpp"
#include "spec/pipeline_spec.hpp"

namespace weir::contract {

inline constexpr std::int64_t kSecond = 1'000'000'000;

struct QueryCase {
  std::string name;
  spec::Query spec;
  oracle::Query expected;

  /// @brief The same query with these intervals, in nanoseconds.
  [[nodiscard]] QueryCase with(std::int64_t window, std::int64_t slide, std::int64_t allowed_lateness = 0) const;
};

QueryCase every_aggregate();       ///< grouped by plug, a nullable field among the arguments
QueryCase filtered_and_derived();  ///< where, let, having, hidden aggregates, two group keys against schema order
QueryCase key_tests();             ///< where and having on keys
QueryCase total();                 ///< no group_by, emit_empty
QueryCase count_by_sensor();       ///< grouped by every key; the least that can be asked

std::vector<QueryCase> all_queries();

}  // namespace weir::contract
