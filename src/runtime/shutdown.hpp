// SIGINT, SIGTERM and SIGHUP as a call: a thread waits for them, everybody else has them blocked.
#pragma once

#include <csignal>
#include <functional>
#include <mutex>
#include <thread>

#include "core/posix_file.hpp"

namespace weir::runtime {

/// Construct before any other thread starts, so that all inherit the blocked mask. The first signal calls `stop` once;
/// a second one ends the process at once, as an impatient operator expects. The destructor, on the thread of the
/// constructor, gives that thread its mask back: from then on the signals do what they did before.
class ShutdownSignals {
 public:
  /// @throws Error without descriptors for it
  explicit ShutdownSignals(std::function<void()> stop);
  ~ShutdownSignals();
  ShutdownSignals(const ShutdownSignals&) = delete;
  ShutdownSignals& operator=(const ShutdownSignals&) = delete;

 private:
  void wait_for_signals();

  FileDescriptor wake_;  // for the destructor
  FileDescriptor signals_;
  std::function<void()> stop_;
  std::thread::id owner_;
  sigset_t previous_mask_{};
  std::thread waiter_;
};

/// Signals that stop one run, whenever they come: before it exists, during it, after it.
class StopOnSignals {
 public:
  /// As long as it lives, a signal reaches the run.
  class Run {
   public:
    explicit Run(StopOnSignals& signals) : signals_(signals) {}
    ~Run() { signals_.set(nullptr); }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

   private:
    StopOnSignals& signals_;
  };

  StopOnSignals() : signals_([this] { request(); }) {}

  /// @brief `stop` is called for a signal that comes, and at once for one that has come. It is not called any more when
  /// the result is gone.
  [[nodiscard]] Run stops(std::function<void()> stop) {
    set(std::move(stop));
    return Run(*this);
  }

 private:
  void set(std::function<void()> stop) {
    const std::scoped_lock lock(mutex_);
    stop_ = std::move(stop);
    if (requested_ && stop_) stop_();
  }
  void request() {
    const std::scoped_lock lock(mutex_);
    requested_ = true;
    if (stop_) stop_();
  }

  std::mutex mutex_;
  std::function<void()> stop_;
  bool requested_ = false;
  ShutdownSignals signals_;  // last: its thread uses the others
};

}  // namespace weir::runtime
