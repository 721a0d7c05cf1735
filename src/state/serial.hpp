// Bytes of state: little-endian, length-prefixed, the same on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/int128.hpp"

namespace weir::state {

/// Appends values to a buffer.
class Writer {
 public:
  void u8(std::uint8_t value);
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  void i64(std::int64_t value);
  void i128(Int128 value);
  void f64(double value);
  void text(std::string_view value);  ///< u64 length, bytes
  void raw(const void* data, std::size_t bytes);
  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::string take() noexcept { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads them back. @throws weir::Error "checkpoint is cut short" when the bytes end too early; lengths are checked
/// before anything is allocated.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::int64_t i64();
  Int128 i128();
  double f64();
  std::string_view text();
  void raw(void* data, std::size_t bytes);
  [[nodiscard]] bool at_end() const noexcept { return bytes_.empty(); }
  [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

}  // namespace weir::state
