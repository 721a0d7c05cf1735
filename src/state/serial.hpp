// Bytes of state: little-endian, length-prefixed, the same on every machine.
//
// Inline, because a checkpoint writes and reads tens of millions of values in one go. Not thread-safe; a Reader borrows
// the bytes that it reads.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "core/int128.hpp"
#include "core/large_array.hpp"

namespace weir::state {

/// @brief `value` with its bytes in little-endian order (its own inverse).
template <class Unsigned>
constexpr Unsigned little_endian(Unsigned value) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    return value;
  } else if constexpr (sizeof(Unsigned) == 4) {
    return __builtin_bswap32(value);
  } else {
    static_assert(sizeof(Unsigned) == 8);
    return __builtin_bswap64(value);
  }
}

/// Most bytes of a number of variable length.
inline constexpr std::size_t kMostVarintBytes = 9;

/// @brief Writes `value` in as few bytes as hold it: the lowest bit that is set in the first byte says how many there
/// are, 1 (bit 0) to 8 (bit 7), or none 9; the value is what stands above it.
/// @param to at least kMostVarintBytes; bytes behind the number may be overwritten
/// @return behind it
inline char* put_varint(char* to, std::uint64_t value) noexcept {
  const auto bits = static_cast<unsigned>(std::bit_width(value | 1U));
  if (bits > 56) {
    *to = 0;
    value = little_endian(value);
    std::memcpy(to + 1, &value, sizeof value);
    return to + kMostVarintBytes;
  }
  const unsigned bytes = ((bits + 6) * 37) >> 8U;  // (bits + 6) / 7, for as few bits as these in less steps
  const std::uint64_t word = little_endian(((value << 1U) | 1U) << (bytes - 1));
  std::memcpy(to, &word, sizeof word);
  return to + bytes;
}

/// @brief The same, quicker where nearly all values are below 128.
inline char* put_small_varint(char* to, std::uint64_t value) noexcept {
  if (value >> 7U != 0) [[unlikely]] {
    return put_varint(to, value);
  }
  *to = static_cast<char>((value << 1U) | 1U);
  return to + 1;
}

/// @brief Signed numbers near 0 as unsigned ones near 0: 0, -1, 1, -2, …
constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63U);
}
/// @brief Its inverse.
constexpr std::int64_t unzigzag(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1));
}

/// Appends values to a buffer.
class Writer {
 public:
  Writer() = default;
  Writer(Writer&& other) noexcept : buffer_(std::move(other.buffer_)), size_(std::exchange(other.size_, 0)) {}
  Writer& operator=(Writer&& other) noexcept {
    buffer_ = std::move(other.buffer_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() = default;

  /// @brief Room for `bytes` more bytes without reallocation.
  void reserve(std::size_t bytes) {
    if (buffer_.size() - size_ < bytes) grow(bytes);
  }
  void u8(std::uint8_t value) { put(value); }
  void u32(std::uint32_t value) { put(little_endian(value)); }
  void u64(std::uint64_t value) { put(little_endian(value)); }
  void i64(std::int64_t value) { u64(static_cast<std::uint64_t>(value)); }
  void i128(Int128 value) {
    const auto bits = static_cast<UInt128>(value);
    u64(static_cast<std::uint64_t>(bits));
    u64(static_cast<std::uint64_t>(bits >> 64U));
  }
  void f64(double value) { u64(std::bit_cast<std::uint64_t>(value)); }
  /// @brief As put_varint() says.
  void varint(std::uint64_t value) { advance(put_varint(space(kMostVarintBytes), value)); }
  /// @brief u64 length, bytes.
  void text(std::string_view value) {
    u64(value.size());
    raw(value.data(), value.size());
  }
  /// @brief Bytes as they are: only for what has one byte order, or for arrays on machines of one kind.
  void raw(const void* data, std::size_t bytes) {
    if (bytes == 0) return;
    reserve(bytes);
    std::memcpy(buffer_.data() + size_, data, bytes);
    size_ += bytes;
  }
  /// @brief Room for `bytes` bytes at the end, for values that are written through a pointer; then advance().
  [[nodiscard]] char* space(std::size_t bytes) {
    reserve(bytes);
    return buffer_.data() + size_;
  }
  /// @brief What was written to space() ends here.
  void advance(const char* end) noexcept { size_ = static_cast<std::size_t>(end - buffer_.data()); }
  /// @brief Writes over a u32 that was written at `position`: a count that is known only behind what it counts.
  void overwrite_u32(std::size_t position, std::uint32_t value) noexcept {
    value = little_endian(value);
    std::memcpy(buffer_.data() + position, &value, sizeof value);
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return buffer_.size(); }
  /// @brief Valid until the next call that writes.
  [[nodiscard]] std::string_view bytes() const noexcept { return {buffer_.data(), size_}; }
  [[nodiscard]] std::string take() {
    std::string taken(bytes());
    size_ = 0;
    return taken;
  }
  /// @brief Empty again, with its memory.
  void clear() noexcept { size_ = 0; }

 private:
  template <class Unsigned>
  void put(Unsigned value) {
    reserve(sizeof value);
    std::memcpy(buffer_.data() + size_, &value, sizeof value);
    size_ += sizeof value;
  }
  void grow(std::size_t bytes);

  // No std::string: its append is a call for each value, and a checkpoint writes tens of millions.
  LargeArray<char> buffer_;
  std::size_t size_ = 0;
};

/// Reads them back. @throws weir::Error "checkpoint is cut short" when the bytes end too early; lengths are checked
/// before anything is allocated.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  std::uint8_t u8() {
    require(1);
    const auto value = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return value;
  }
  std::uint32_t u32() { return little_endian(get<std::uint32_t>()); }
  std::uint64_t u64() { return little_endian(get<std::uint64_t>()); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  Int128 i128() {
    require(16);
    const UInt128 low = u64();
    const UInt128 high = u64();
    return static_cast<Int128>((high << 64U) | low);
  }
  double f64() { return std::bit_cast<double>(u64()); }
  std::uint64_t varint() {
    require(1);
    const auto bytes = static_cast<unsigned>(std::countr_zero(static_cast<unsigned char>(bytes_.front()) | 0x100U)) + 1;
    std::uint64_t word = 0;
    if (bytes > sizeof word) {
      require(bytes);
      std::memcpy(&word, bytes_.data() + 1, sizeof word);
      word = little_endian(word);
    } else if (bytes_.size() >= sizeof word) {
      std::memcpy(&word, bytes_.data(), sizeof word);
      word = (little_endian(word) & (~std::uint64_t{0} >> (64 - 8 * bytes))) >> bytes;
    } else {
      require(bytes);
      std::memcpy(&word, bytes_.data(), bytes);
      word = little_endian(word) >> bytes;
    }
    bytes_.remove_prefix(bytes);
    return word;
  }
  /// @brief A view into the bytes given to the constructor.
  std::string_view text() {
    const std::uint64_t length = u64();
    require(length);
    const std::string_view value = bytes_.substr(0, static_cast<std::size_t>(length));
    bytes_.remove_prefix(value.size());
    return value;
  }
  void raw(void* data, std::size_t bytes) {
    require(bytes);
    if (bytes != 0) std::memcpy(data, bytes_.data(), bytes);
    bytes_.remove_prefix(bytes);
  }
  /// @brief A count of elements of at least `element_bytes` each that are to follow. @throws Error when the remaining
  /// bytes cannot hold them, so that a damaged count never allocates.
  std::uint64_t count(std::size_t element_bytes) {
    const std::uint64_t value = u64();
    if (element_bytes != 0 && value > bytes_.size() / element_bytes) cut_short();
    return value;
  }
  [[nodiscard]] bool at_end() const noexcept { return bytes_.empty(); }
  [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size(); }

 private:
  [[noreturn]] static void cut_short();
  void require(std::uint64_t bytes) const {
    if (bytes > bytes_.size()) cut_short();
  }
  template <class Unsigned>
  Unsigned get() {
    require(sizeof(Unsigned));
    Unsigned value;
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }

  std::string_view bytes_;
};

}  // namespace weir::state
