// A push source that reads in a thread of its own: file, directory, standard input, TCP, simulator.
#pragma once

#include <cstdint>
#include <mutex>
#include <thread>

#include "batch/message.hpp"
#include "source/source.hpp"
#include "source/stop_event.hpp"

namespace weir::source {

/// A subclass opens what it reads in open(), reads in run(), and calls stop() in its destructor (run() uses its
/// members).
class ThreadSource : public Source {
 public:
  void start() final;
  void stop() final;

 protected:
  ThreadSource(std::uint32_t index, batch::MessageConsumer& consumer) : index_(index), consumer_(consumer) {}

  /// @brief In start()'s thread. @throws Error when there is nothing to read.
  virtual void open() {}
  /// @brief In the source's thread; returns soon after stopping() is set. True when the source has come to its end; an
  /// exception is reported as failed().
  virtual bool run() = 0;

  [[nodiscard]] const StopEvent& stopping() const noexcept { return stop_; }
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }
  [[nodiscard]] batch::MessageConsumer& consumer() const noexcept { return consumer_; }

 private:
  void thread_main();

  const std::uint32_t index_;
  batch::MessageConsumer& consumer_;
  StopEvent stop_;
  std::mutex joining_;
  std::thread thread_;
};

}  // namespace weir::source
