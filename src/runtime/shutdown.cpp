#include "runtime/shutdown.hpp"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <utility>

namespace weir::runtime {
namespace {

// Sent to the waiter by the destructor; not used for anything else.
const int kWakeSignal = SIGUSR2;

// timeout(1) and terminals send a signal to the process and again to its group: that is one request.
constexpr std::chrono::seconds kSameRequest{1};

}  // namespace

ShutdownSignals::ShutdownSignals(std::function<void()> stop) : stop_(std::move(stop)) {
  sigemptyset(&signals_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, kWakeSignal}) {
    sigaddset(&signals_, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  waiter_ = std::thread([this] {
    std::optional<std::chrono::steady_clock::time_point> first;
    int signal = 0;
    while (sigwait(&signals_, &signal) == 0 && signal != kWakeSignal) {
      const auto now = std::chrono::steady_clock::now();
      if (first && now - *first > kSameRequest) {
        _exit(128 + signal);
      }
      if (first) {
        continue;
      }
      first = now;
      spdlog::info("{} received: finishing what was received (once more to give up)", signal == SIGINT   ? "SIGINT"
                                                                                      : signal == SIGHUP ? "SIGHUP"
                                                                                                         : "SIGTERM");
      stop_();
    }
  });
}

ShutdownSignals::~ShutdownSignals() {
  pthread_kill(waiter_.native_handle(), kWakeSignal);
  waiter_.join();
}

}  // namespace weir::runtime
