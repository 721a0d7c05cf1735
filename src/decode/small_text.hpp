// Short texts as whole 64-bit words: compared and hashed without a loop over bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir::decode {

/// @brief The 8 bytes at `at` + 8·`word`, those past the end of the text as zero. 7 bytes after the text must be
/// readable. `word` < ceil(size / 8).
inline std::uint64_t load_word(std::string_view text, std::size_t word) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, text.data() + word * 8, 8);
  const std::size_t left = text.size() - word * 8;
  if (left < 8) {
    // In memory order the text's bytes come first, whichever end of the integer that is.
    const std::uint64_t ones = ~std::uint64_t{0};
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value &= ones << (8 * (8 - left));
#else
    value &= ones >> (8 * (8 - left));
#endif
  }
  return value;
}

inline std::size_t words_of(std::size_t bytes) noexcept {
  return (bytes + 7) / 8;
}

}  // namespace weir::decode
