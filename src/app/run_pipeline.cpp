#include "app/run_pipeline.hpp"

#include <chrono>
#include <utility>

#include "core/log.hpp"
#include "runtime/shutdown.hpp"

namespace weir::app {

Finished run_pipeline(plan::Plan plan, runtime::Options options) {
  runtime::StopOnSignals signals;  // before the first thread starts, so that all of them have the signals blocked
  runtime::Pipeline pipeline(std::move(plan), std::move(options));
  const auto begin = std::chrono::steady_clock::now();
  pipeline.start();
  log::info("running on {}", pipeline.backend().description());
  const auto run = signals.stops([&pipeline] { pipeline.request_stop(); });
  pipeline.wait();
  return {pipeline.report(), std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
          pipeline.failed_sources()};
}

}  // namespace weir::app
