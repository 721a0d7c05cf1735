#include "decode/csv_index.hpp"

#include <cstring>

// Highway compiles the part between its BEFORE and AFTER marks once for each instruction set, by including this file
// again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "decode/csv_index.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace weir::decode::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kBlock = 64;

struct Bytes {
#if HWY_TARGET == HWY_SCALAR
  static constexpr std::size_t kVectors = 1;
#else
  using Tag = hn::CappedTag<std::uint8_t, kBlock>;
#endif
};

/// Which bytes of a block equal `a`, `b`, or '"', one bit a byte.
struct Found {
  std::uint64_t a;
  std::uint64_t b;
  std::uint64_t newline;
  std::uint64_t quote;
};

#if HWY_TARGET == HWY_SCALAR
HWY_INLINE Found find(const char* block, char a, char b) {
  Found found{};
  for (std::size_t i = 0; i < kBlock; ++i) {
    const std::uint64_t bit = std::uint64_t{1} << i;
    found.a |= block[i] == a ? bit : 0;
    found.b |= block[i] == b ? bit : 0;
    found.newline |= block[i] == '\n' ? bit : 0;
    found.quote |= block[i] == '"' ? bit : 0;
  }
  return found;
}
#else
template <class Mask>
HWY_INLINE std::uint64_t bits_of(Bytes::Tag tag, Mask mask) {
  // Bit i of byte i / 8 is lane i: on little-endian machines, the only ones Highway knows, that is a plain integer.
  std::uint8_t bytes[8] = {};
  hn::StoreMaskBits(tag, mask, bytes);
  std::uint64_t bits = 0;
  std::memcpy(&bits, bytes, sizeof bits);
  return bits;
}

HWY_INLINE Found find(const char* block, char a, char b) {
  const Bytes::Tag tag;
  const auto want_a = hn::Set(tag, static_cast<std::uint8_t>(a));
  const auto want_b = hn::Set(tag, static_cast<std::uint8_t>(b));
  const auto want_newline = hn::Set(tag, static_cast<std::uint8_t>('\n'));
  const auto want_quote = hn::Set(tag, static_cast<std::uint8_t>('"'));
  Found found{};
  std::uint8_t const* const bytes = reinterpret_cast<const std::uint8_t*>(block);
  for (std::size_t at = 0; at < kBlock; at += hn::Lanes(tag)) {
    const auto vector = hn::LoadU(tag, bytes + at);
    found.a |= bits_of(tag, hn::Eq(vector, want_a)) << at;
    found.b |= bits_of(tag, hn::Eq(vector, want_b)) << at;
    found.newline |= bits_of(tag, hn::Eq(vector, want_newline)) << at;
    found.quote |= bits_of(tag, hn::Eq(vector, want_quote)) << at;
  }
  return found;
}
#endif

HWY_INLINE std::uint32_t* write_positions(std::uint64_t bits, std::size_t base, std::uint32_t* out) {
  const int count = __builtin_popcountll(bits);
  std::uint32_t* const end = out + count;
  // Eight a time, more than needed: a branch for each bit would be mispredicted once a block.
  while (true) {
    for (int i = 0; i < 8; ++i) {
      out[i] = static_cast<std::uint32_t>(base) +
               static_cast<std::uint32_t>(__builtin_ctzll(bits | (std::uint64_t{1} << 63U)));
      bits &= bits - 1;
    }
    out += 8;
    if (out >= end) {
      return end;
    }
  }
}

HWY_INLINE std::uint64_t valid_bits(std::size_t left) {
  return left >= kBlock ? ~std::uint64_t{0} : ~(~std::uint64_t{0} << left);
}

CsvIndex Separators(const char* text, std::size_t size, char separator, std::uint32_t* positions) {
  std::uint32_t* out = positions;
  std::uint64_t quotes = 0;
  for (std::size_t at = 0; at < size; at += kBlock) {
    const Found found = find(text + at, separator, separator);
    const std::uint64_t valid = valid_bits(size - at);
    quotes |= found.quote & valid;
    out = write_positions((found.a | found.newline) & valid, at, out);
  }
  return {static_cast<std::size_t>(out - positions), quotes != 0};
}

CsvIndex Blanks(const char* text, std::size_t size, std::uint32_t* positions) {
  std::uint32_t* out = positions;
  std::uint64_t quotes = 0;
  std::uint64_t before = 1;  // the byte before the block is between cells
  for (std::size_t at = 0; at < size; at += kBlock) {
    const Found found = find(text + at, ' ', '\t');
    const std::uint64_t valid = valid_bits(size - at);
    const std::uint64_t between = found.a | found.b | found.newline;
    const std::uint64_t edges = between ^ ((between << 1U) | before);
    before = between >> 63U;
    quotes |= found.quote & valid;
    out = write_positions((edges | found.newline) & valid, at, out);
  }
  return {static_cast<std::size_t>(out - positions), quotes != 0};
}

}  // namespace weir::decode::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weir::decode {

HWY_EXPORT(Separators);
HWY_EXPORT(Blanks);

CsvIndex index_separators(const char* text, std::size_t size, char separator, std::uint32_t* positions) noexcept {
  return HWY_DYNAMIC_DISPATCH(Separators)(text, size, separator, positions);
}

CsvIndex index_blanks(const char* text, std::size_t size, std::uint32_t* positions) noexcept {
  return HWY_DYNAMIC_DISPATCH(Blanks)(text, size, positions);
}

}  // namespace weir::decode
#endif
