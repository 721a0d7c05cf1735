// Writes what the sources of a plan deliver into journals, and nothing else: what `weir record` starts.
//
// Threads: one a source (or the client library's), one a stream that keeps the clock.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "plan/plan.hpp"

namespace weir::runtime {

class Recorder {
 public:
  struct Stream {
    std::string name;
    std::string directory;
    std::uint64_t messages = 0;
    std::uint64_t payload_bytes = 0;
    std::uint64_t shed = 0;
  };

  /// @brief Journals in <directory>/<stream>, continued if they exist. @throws Error
  Recorder(plan::Plan plan, const std::string& directory);
  ~Recorder();  ///< stops
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// @throws Error when a source cannot start.
  void start();
  /// @brief Any thread; returns at once.
  void request_stop() noexcept;
  /// @brief Waits until every source has ended or a requested stop is done; then everything is durable. @throws the
  /// error that ended the recording.
  void wait();
  /// @brief What was recorded, after wait().
  [[nodiscard]] std::vector<Stream> report() const;

 private:
  struct Recording;
  void finish();

  plan::Plan plan_;
  std::vector<std::unique_ptr<Recording>> recordings_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t running_ = 0;
  bool stop_requested_ = false;
  bool finished_ = false;
};

}  // namespace weir::runtime
