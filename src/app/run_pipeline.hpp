// Runs a pipeline to its end or to a signal; what `weir run` and `weir replay` share.
#pragma once

#include <string>
#include <vector>

#include "app/command.hpp"
#include "plan/plan.hpp"
#include "runtime/pipeline.hpp"

namespace weir::app {

struct Finished {
  runtime::Report report;
  double seconds = 0.0;
  std::vector<std::string> failed_sources;  ///< why they gave up; the others went on

  /// @brief The exit code of the run.
  [[nodiscard]] int code() const { return report.balances() && failed_sources.empty() ? kDone : kFailed; }
};

/// @brief Starts, waits, stops gracefully on SIGINT, SIGTERM or SIGHUP. @throws whatever ended the run.
Finished run_pipeline(plan::Plan plan, runtime::Options options);

}  // namespace weir::app
