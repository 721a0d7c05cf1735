// One stream of a replay: a thread of its own that reads recorded input and hands batches to the engine.
#pragma once

#include <exception>
#include <thread>

#include "runtime/pacer.hpp"
#include "source/stop_event.hpp"

namespace weir::runtime {

class StreamReplay {
 public:
  virtual ~StreamReplay() = default;  ///< a subclass ends the thread: request_stop(), join()
  StreamReplay(const StreamReplay&) = delete;
  StreamReplay& operator=(const StreamReplay&) = delete;

  void start() {
    thread_ = std::thread([this] { work(); });
  }
  /// @brief Stops at the next message boundary and ends the stream without closing windows. Any thread, returns at
  /// once.
  void request_stop() {
    pacer_.stop();  // first: an input that ends because of the stop has not come to its end
    stop_.set();
  }
  void join() {
    if (thread_.joinable()) {
      thread_.join();
    }
  }
  /// @brief What went wrong while reading, after the stream has ended.
  [[nodiscard]] std::exception_ptr error() const { return error_; }

 protected:
  StreamReplay(double speed, std::int64_t step_ns) : pacer_(speed, step_ns) {}
  /// @brief In the replay's thread. Sets error_ instead of throwing; ends with the stream's end marker on the queue.
  virtual void work() = 0;

  Pacer pacer_;
  source::StopEvent stop_;  ///< for inputs that may be silent
  std::exception_ptr error_;

 private:
  std::thread thread_;
};

}  // namespace weir::runtime
