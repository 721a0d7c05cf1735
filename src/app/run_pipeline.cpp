#include "app/run_pipeline.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <mutex>
#include <utility>

#include "runtime/shutdown.hpp"

namespace weir::app {

Finished run_pipeline(plan::Plan plan, runtime::Options options) {
  std::mutex mutex;
  runtime::Pipeline* running = nullptr;
  bool stop_early = false;
  // Before the first thread starts, so that all of them have the signals blocked.
  const runtime::ShutdownSignals signals([&] {
    const std::scoped_lock lock(mutex);
    stop_early = true;
    if (running != nullptr) {
      running->request_stop();
    }
  });
  runtime::Pipeline pipeline(std::move(plan), std::move(options));
  const auto begin = std::chrono::steady_clock::now();
  pipeline.start();
  spdlog::info("running on {}", pipeline.backend().description());
  {
    const std::scoped_lock lock(mutex);
    running = &pipeline;
    if (stop_early) {
      pipeline.request_stop();
    }
  }
  const auto forget = [&] {
    const std::scoped_lock lock(mutex);
    running = nullptr;
  };
  try {
    pipeline.wait();
  } catch (...) {
    forget();
    throw;
  }
  forget();
  return {pipeline.report(), std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()};
}

}  // namespace weir::app
