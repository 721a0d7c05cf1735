// A flag that wakes whoever waits for it, alone or together with a file descriptor.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>

#include "core/error.hpp"

namespace weir::source {

/// Once set it stays set. Any thread may call anything.
class StopEvent {
 public:
  StopEvent() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) {
      throw Error(std::string("cannot create an event: ") + std::strerror(errno));
    }
  }
  ~StopEvent() { ::close(fd_); }
  StopEvent(const StopEvent&) = delete;
  StopEvent& operator=(const StopEvent&) = delete;

  void set() noexcept {
    const std::uint64_t one = 1;
    // The only failure is a full counter, and then the event is set.
    [[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof one);
  }
  [[nodiscard]] bool is_set() const noexcept { return wait_for(std::chrono::nanoseconds(0)); }

  /// @brief Waits until the event is set or the time is over; true when it is set.
  bool wait_for(std::chrono::nanoseconds time) const noexcept {
    pollfd event{fd_, POLLIN, 0};
    return poll_for(&event, 1, time) > 0;
  }

  enum class Ready : std::uint8_t { stop, descriptor, timeout };
  /// @brief Waits for the event, for `events` (POLLIN, POLLOUT) on `fd`, or for the time to be over (negative: never).
  Ready wait_with(int fd, short events, std::chrono::nanoseconds time) const noexcept {
    pollfd both[2] = {{fd_, POLLIN, 0}, {fd, events, 0}};
    const int ready = poll_for(both, 2, time);
    if (both[0].revents != 0) {
      return Ready::stop;
    }
    return ready > 0 ? Ready::descriptor : Ready::timeout;
  }

 private:
  static int poll_for(pollfd* descriptors, nfds_t count, std::chrono::nanoseconds time) noexcept {
    const auto end = std::chrono::steady_clock::now() + time;
    for (;;) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
      timespec left{};
      left.tv_sec = static_cast<time_t>(seconds.count());
      left.tv_nsec = static_cast<long>((time - seconds).count());
      const int ready = ::ppoll(descriptors, count, time.count() < 0 ? nullptr : &left, nullptr);
      if (ready >= 0 || errno != EINTR) {
        return ready;
      }
      if (time.count() >= 0) {
        time = std::max(end - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration::zero());
      }
    }
  }

  int fd_;
};

}  // namespace weir::source
