#include "runtime/shutdown.hpp"

#include <pthread.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <utility>

namespace weir::runtime {
namespace {

// Sent to the waiter by the destructor; not used for anything else.
const int kWakeSignal = SIGUSR2;

}  // namespace

ShutdownSignals::ShutdownSignals(std::function<void()> stop) : stop_(std::move(stop)) {
  sigemptyset(&signals_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, kWakeSignal}) {
    sigaddset(&signals_, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  waiter_ = std::thread([this] {
    bool stopping = false;
    int signal = 0;
    while (sigwait(&signals_, &signal) == 0 && signal != kWakeSignal) {
      if (stopping) {
        _exit(128 + signal);
      }
      stopping = true;
      spdlog::info("{} received: finishing what was received (once more to give up)",
                   signal == SIGINT ? "SIGINT" : signal == SIGHUP ? "SIGHUP" : "SIGTERM");
      stop_();
    }
  });
}

ShutdownSignals::~ShutdownSignals() {
  pthread_kill(waiter_.native_handle(), kWakeSignal);
  waiter_.join();
}

}  // namespace weir::runtime
