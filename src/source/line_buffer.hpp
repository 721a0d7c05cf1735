// Cuts bytes that arrive in arbitrary pieces into blocks of whole lines. A line that is too long is skipped to its end
// in bounded memory, so that it costs itself and nothing behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::source {

inline constexpr std::size_t kBlockBytes = 256U << 10U;

/// Whole lines, or one line that is too long.
struct Lines {
  std::string_view text;    ///< the lines, line breaks included; of a line that is too long its beginning
  std::uint64_t bytes = 0;  ///< of the input that they stand for; 0: nothing is ready
  bool too_long = false;
  explicit operator bool() const noexcept { return bytes > 0; }
};

/// One thread. Fill space(), say how much with filled(), take lines() until there are none.
class LineBuffer {
 public:
  /// When a line that is too long is handed out: where positions count, when all of it has passed; where the line may
  /// never end, as soon as it is known (its `bytes` are those up to there).
  enum class LongLine : std::uint8_t { at_its_end, at_once };

  /// @param longest bytes of a line, its line break not counted
  LineBuffer(std::uint64_t longest, LongLine long_line);

  /// @brief Where the next bytes go; never empty, kBlockBytes at most. Ends the life of views handed out.
  std::span<char> space();
  void filled(std::size_t bytes) noexcept { end_ += bytes; }

  /// @brief The whole lines that are there; or one that is too long, and then there may be more.
  Lines lines();
  /// @brief What follows the last line break: the beginning of a line, or the last one where the input ends without
  /// one.
  Lines rest();
  void clear() noexcept;

 private:
  Lines skip();
  [[nodiscard]] Lines take(std::size_t until) noexcept;

  std::size_t longest_;
  LongLine long_line_;
  std::vector<char> bytes_;  // never more than longest_ and a line break, so what is in it whole is not too long
  std::size_t begin_ = 0;    // of the bytes not handed out
  std::size_t scanned_ = 0;  // no line break in [begin_, scanned_)
  std::size_t end_ = 0;
  bool skipping_ = false;  // in a line that is too long
  std::uint64_t skipped_ = 0;
  std::string sample_;
};

}  // namespace weir::source
