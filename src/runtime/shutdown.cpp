#include "runtime/shutdown.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"

namespace weir::runtime {
namespace {

// timeout(1) and terminals send a signal to the process and again to its group: that is one request.
constexpr std::chrono::seconds kSameRequest{1};

std::string_view name_of(std::uint32_t signal) {
  return signal == SIGINT ? "SIGINT" : signal == SIGHUP ? "SIGHUP" : "SIGTERM";
}

}  // namespace

ShutdownSignals::ShutdownSignals(std::function<void()> stop)
    : stop_(std::move(stop)), owner_(std::this_thread::get_id()) {
  sigset_t stops;
  sigemptyset(&stops);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&stops, signal);
  wake_ = FileDescriptor(::eventfd(0, EFD_CLOEXEC));
  // A signal that is pending can be taken away again: by whoever sets it to be ignored.
  signals_ = FileDescriptor(::signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!wake_ || !signals_) throw system_error("wait for", "signals");
  pthread_sigmask(SIG_BLOCK, &stops, &previous_mask_);
  try {
    waiter_ = std::thread([this] { wait_for_signals(); });
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
    throw;
  }
}

ShutdownSignals::~ShutdownSignals() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_.get(), &one, sizeof one));
  waiter_.join();
  if (std::this_thread::get_id() == owner_) pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
}

void ShutdownSignals::wait_for_signals() {
  std::optional<std::chrono::steady_clock::time_point> first;
  for (;;) {
    std::array<::pollfd, 2> ready{{{wake_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), -1) < 0) continue;
    if (ready[0].revents != 0) return;
    ::signalfd_siginfo signal{};
    if (::read(signals_.get(), &signal, sizeof signal) != sizeof signal) continue;
    const auto now = std::chrono::steady_clock::now();
    if (first && now - *first > kSameRequest) _exit(128 + static_cast<int>(signal.ssi_signo));
    if (first) continue;
    first = now;
    log::info("{} received: finishing what was received (once more to give up)", name_of(signal.ssi_signo));
    stop_();
  }
}

}  // namespace weir::runtime
