// SIGINT and SIGTERM as a call: a thread waits for them, everybody else has them blocked.
#pragma once

#include <csignal>
#include <functional>
#include <thread>

namespace weir::runtime {

/// Construct before any other thread starts, so that all inherit the blocked mask. The first signal calls `stop` once;
/// a second one ends the process at once, as an impatient operator expects.
class ShutdownSignals {
 public:
  explicit ShutdownSignals(std::function<void()> stop);
  ~ShutdownSignals();
  ShutdownSignals(const ShutdownSignals&) = delete;
  ShutdownSignals& operator=(const ShutdownSignals&) = delete;

 private:
  sigset_t signals_{};
  std::function<void()> stop_;
  std::thread waiter_;
};

}  // namespace weir::runtime
