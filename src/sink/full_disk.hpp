// Waits for room on a full disk: the rows stay where they are, the engine stands still, and back-pressure holds the
// sources until somebody makes room or the pipeline is told to stop.
//
// retry() is for the engine's thread, interrupt() for any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>

#include "core/file_system.hpp"

namespace weir::sink {

class FullDisk {
 public:
  /// @param pause between attempts: nobody makes room faster than this
  explicit FullDisk(std::chrono::milliseconds pause = std::chrono::milliseconds(200)) : pause_(pause) {}

  /// @brief Calls `attempt` until it does not fail for want of room (ENOSPC, EDQUOT); logs one line when it begins to
  /// wait and one when it goes on. @throws FileError of the last attempt after interrupt(); other errors at once.
  void retry(const std::string& path, const std::function<void()>& attempt);
  /// @brief Nothing waits from now on. Any thread, idempotent.
  void interrupt() noexcept;

 private:
  const std::chrono::milliseconds pause_;
  std::mutex mutex_;
  std::condition_variable interrupted_;
  bool stop_ = false;
};

}  // namespace weir::sink
