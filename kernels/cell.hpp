// A cell: everything that a pane keeps for a group, as 64-bit words. Host and device.
//
// Word 0 counts the readings; the parts of the plan's arguments follow. Which parts there are is data, not code, so one
// kernel serves every query. Widths in words, and what an empty part holds:
//
//   count    1  0                     values that are not null
//   sum      2  0, 0                  low and high word of a signed 128-bit sum
//   squares  3  0, 0, 0               limbs of the sum of squares
//   min      1  largest int64
//   max      1  smallest int64
//   first    3  time, value, marker   all the largest int64; the marker is the time that the value belongs to
//   last     3  time, value, marker   all the smallest int64
//
// A pair (time, value) does not fit a 64-bit atomic. A step lowers the time first, then clears values whose marker is
// not the time, then lowers the values of readings at that time: three kernels, in order (pairs.hpp).
//
// The front of a pane (two stacks) has the words of the parts that cannot be subtracted, and nothing else.
#pragma once

#include <cstdint>

#include "core/host_device.hpp"
#include "core/int128.hpp"
#include "kernels/atomics.hpp"
#include "ops/accumulate.hpp"

namespace weir::kernels {

enum class PartKind : std::uint8_t { rows, count, sum, squares, min, max, first, last };

/// Where a part lies in a cell and, if it cannot be subtracted, in a front.
struct Part {
  PartKind kind = PartKind::rows;
  std::uint16_t argument = 0;
  std::uint16_t word = 0;
  std::uint16_t front = 0;
};

WEIR_HOST_DEVICE inline std::uint32_t words_of(PartKind kind) noexcept {
  switch (kind) {
    case PartKind::sum:
      return 2;
    case PartKind::squares:
    case PartKind::first:
    case PartKind::last:
      return 3;
    default:
      return 1;
  }
}

/// @brief Whether what entered a part can be taken out again.
WEIR_HOST_DEVICE inline bool invertible(PartKind kind) noexcept {
  return kind == PartKind::rows || kind == PartKind::count || kind == PartKind::sum || kind == PartKind::squares;
}

/// @brief What every word of an empty part holds.
WEIR_HOST_DEVICE inline Word empty_word(PartKind kind) noexcept {
  constexpr Word kLargest = ~Word{0} >> 1U;
  switch (kind) {
    case PartKind::min:
    case PartKind::first:
      return kLargest;
    case PartKind::max:
    case PartKind::last:
      return kLargest + 1;  // the smallest int64
    default:
      return 0;
  }
}

/// @brief words += low + high·2^64, modulo 2^128.
template <class Words>
WEIR_HOST_DEVICE inline void add_sum(Word* words, Word low, Word high) noexcept {
  high += Words::add_carry(words, low);
  if (high != 0) Words::add(words + 1, high);
}

/// @brief words += limbs, modulo 2^192. A carry is added on its own, so that a limb of all ones does not lose it.
template <class Words>
WEIR_HOST_DEVICE inline void add_limbs(Word* words, Word first, Word second, Word third) noexcept {
  if (Words::add_carry(words, first) != 0) third += Words::add_carry(words + 1, 1);
  if (second != 0) third += Words::add_carry(words + 1, second);
  if (third != 0) Words::add(words + 2, third);
}

/// @brief words += value².
template <class Words>
WEIR_HOST_DEVICE inline void add_square(Word* words, std::int64_t value) noexcept {
  const Word magnitude = value < 0 ? 0U - as_word(value) : as_word(value);
  const UInt128 square = static_cast<UInt128>(magnitude) * magnitude;
  add_limbs<Words>(words, static_cast<Word>(square), static_cast<Word>(square >> 64U), 0);
}

/// @brief Adds a value to one part. Of a pair only the time is taken (see above).
template <class Words>
WEIR_HOST_DEVICE inline void add_value(Word* words, PartKind kind, std::int64_t value, std::int64_t time) noexcept {
  switch (kind) {
    case PartKind::rows:
    case PartKind::count:
      Words::add(words, 1);
      break;
    case PartKind::sum:
      add_sum<Words>(words, as_word(value), value < 0 ? ~Word{0} : 0);
      break;
    case PartKind::squares:
      add_square<Words>(words, value);
      break;
    case PartKind::min:
      Words::min(words, value);
      break;
    case PartKind::max:
      Words::max(words, value);
      break;
    case PartKind::first:
      Words::min(words, time);
      break;
    case PartKind::last:
      Words::max(words, time);
      break;
  }
}

/// @brief into += from, for a part of two cells or fronts.
template <class Words>
WEIR_HOST_DEVICE inline void merge_part(Word* into, const Word* from, PartKind kind) noexcept {
  switch (kind) {
    case PartKind::rows:
    case PartKind::count:
      if (from[0] != 0) Words::add(into, from[0]);
      break;
    case PartKind::sum:
      add_sum<Words>(into, from[0], from[1]);
      break;
    case PartKind::squares:
      add_limbs<Words>(into, from[0], from[1], from[2]);
      break;
    case PartKind::min:
      Words::min(into, as_signed(from[0]));
      break;
    case PartKind::max:
      Words::max(into, as_signed(from[0]));
      break;
    default:
      break;  // pairs: merge_pair
  }
}

/// @brief into += from, for a first or last; both belong to this thread.
WEIR_HOST_DEVICE inline void merge_pair(Word* into, const Word* from, PartKind kind) noexcept {
  if (kind == PartKind::first) {
    ops::FirstValue value{as_signed(into[0]), as_signed(into[1])};
    ops::merge(value, ops::FirstValue{as_signed(from[0]), as_signed(from[1])});
    into[0] = into[2] = as_word(value.time);
    into[1] = as_word(value.value);
  } else {
    ops::LastValue value{as_signed(into[0]), as_signed(into[1])};
    ops::merge(value, ops::LastValue{as_signed(from[0]), as_signed(from[1])});
    into[0] = into[2] = as_word(value.time);
    into[1] = as_word(value.value);
  }
}

/// @brief into += from, for any part; both belong to this thread.
WEIR_HOST_DEVICE inline void merge_own(Word* into, const Word* from, PartKind kind) noexcept {
  if (kind == PartKind::first || kind == PartKind::last) {
    merge_pair(into, from, kind);
  } else {
    merge_part<Own>(into, from, kind);
  }
}

/// @brief into -= from, for an invertible part that `from` entered before.
WEIR_HOST_DEVICE inline void subtract_own(Word* into, const Word* from, PartKind kind) noexcept {
  const std::uint32_t words = words_of(kind);
  Word borrow = 0;
  for (std::uint32_t i = 0; i < words; ++i) {
    const UInt128 difference = static_cast<UInt128>(into[i]) - from[i] - borrow;
    into[i] = static_cast<Word>(difference);
    borrow = static_cast<Word>(difference >> 64U) & 1U;
  }
}

/// @brief A part in registers: what a thread adds up before it goes to memory.
struct PartValue {
  Word words[3];
};

WEIR_HOST_DEVICE inline PartValue empty_part(PartKind kind) noexcept {
  const Word word = empty_word(kind);
  return {{word, word, word}};
}

WEIR_HOST_DEVICE inline PartValue load_part(const Word* words, PartKind kind) noexcept {
  PartValue value = empty_part(kind);
  const std::uint32_t size = words_of(kind);
  for (std::uint32_t i = 0; i < size; ++i) value.words[i] = words[i];
  return value;
}

WEIR_HOST_DEVICE inline void store_part(Word* words, const PartValue& value, PartKind kind) noexcept {
  const std::uint32_t size = words_of(kind);
  for (std::uint32_t i = 0; i < size; ++i) words[i] = value.words[i];
}

}  // namespace weir::kernels
