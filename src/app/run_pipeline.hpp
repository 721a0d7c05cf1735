// Runs a pipeline to its end or to a signal; what `weir run` and `weir replay` share.
#pragma once

#include "plan/plan.hpp"
#include "runtime/pipeline.hpp"

namespace weir::app {

struct Finished {
  runtime::Report report;
  double seconds = 0.0;
};

/// @brief Starts, waits, stops gracefully on SIGINT, SIGTERM or SIGHUP. @throws whatever ended the run.
Finished run_pipeline(plan::Plan plan, runtime::Options options);

}  // namespace weir::app
