// Cuts bytes that arrive in arbitrary pieces into blocks of whole lines.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::source {

inline constexpr std::size_t kBlockBytes = 256U << 10U;
inline constexpr std::size_t kLongestLine = 16U << 20U;

/// One thread. Fill space(), say how much with filled(), take lines().
class LineBuffer {
 public:
  /// @param name what is read, for the error about a line that is too long
  explicit LineBuffer(std::string name) : name_(std::move(name)), bytes_(kBlockBytes) {}

  /// @brief Where the next bytes go; never empty. Ends the life of views handed out. @throws Error when a line is
  /// longer than kLongestLine.
  std::span<char> space();
  void filled(std::size_t bytes) noexcept { end_ += bytes; }

  /// @brief All whole lines, the last newline included; empty when there are none.
  std::string_view lines() noexcept;
  /// @brief What follows the last newline: the beginning of a line, or the last one where the input ends without
  /// newline.
  std::string_view rest() noexcept;
  void clear() noexcept { begin_ = scanned_ = end_ = 0; }

 private:
  std::string name_;
  std::vector<char> bytes_;
  std::size_t begin_ = 0;    // of the bytes not handed out
  std::size_t scanned_ = 0;  // no newline in [begin_, scanned_)
  std::size_t end_ = 0;
};

}  // namespace weir::source
