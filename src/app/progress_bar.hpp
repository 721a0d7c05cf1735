// How far a replay has come, on one line of the terminal, redrawn at most ten times a second.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace weir::app {

/// Several streams report from threads of their own.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();  ///< takes the line away
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// @brief Standard error is a terminal that can have a line redrawn.
  [[nodiscard]] static bool possible();
  /// @param read, total bytes; a total of 0 is not known
  void operator()(std::uint64_t read, std::uint64_t total);

 private:
  std::mutex mutex_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_ = begin_;
};

/// @brief The text of the bar, shorter than `columns`.
std::string progress_text(std::uint64_t read, std::uint64_t total, double seconds, std::size_t columns);

}  // namespace weir::app
