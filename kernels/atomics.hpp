// Additions and comparisons on words of cells, by who else touches them: other threads in the device's memory, threads
// of the same block in its shared memory, nobody. Host and device: on the device they are native atomics, on the host
// those of the compiler.
//
//   add           *at += value
//   add_carry     the same; returns 1 when it left the word, else 0
//   min, max      of signed words
//
// Integers add in any order to the same bits, so relaxed atomics are all that exactness needs.
#pragma once

#include <cstdint>

#include "core/host_device.hpp"
#include "kernels/address_space.hpp"

namespace weir::kernels {

/// What cells are made of.
using Word = std::uint64_t;

WEIR_HOST_DEVICE inline std::int64_t as_signed(Word word) noexcept {
  return static_cast<std::int64_t>(word);
}
WEIR_HOST_DEVICE inline Word as_word(std::int64_t value) noexcept {
  return static_cast<Word>(value);
}

/// Words in the device's memory that other threads change at the same time.
struct Shared {
  /// @return what it was before. When nobody uses that, the device does not wait for it.
  WEIR_HOST_DEVICE static Word add(Word* at, Word value) noexcept {
#ifdef __CUDA_ARCH__
    return atomicAdd(reinterpret_cast<unsigned long long*>(in_device_memory(at)),
                     static_cast<unsigned long long>(value));
#else
    return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
#endif
  }
  WEIR_HOST_DEVICE static Word add_carry(Word* at, Word value) noexcept {
    const Word before = add(at, value);
    return before + value < before ? 1 : 0;
  }
  WEIR_HOST_DEVICE static void min(Word* at, std::int64_t value) noexcept {
#ifdef __CUDA_ARCH__
    atomicMin(reinterpret_cast<long long*>(in_device_memory(at)), static_cast<long long>(value));
#else
    Word seen = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (value < as_signed(seen) &&
           !__atomic_compare_exchange_n(at, &seen, as_word(value), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
#endif
  }
  WEIR_HOST_DEVICE static void max(Word* at, std::int64_t value) noexcept {
#ifdef __CUDA_ARCH__
    atomicMax(reinterpret_cast<long long*>(in_device_memory(at)), static_cast<long long>(value));
#else
    Word seen = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (value > as_signed(seen) &&
           !__atomic_compare_exchange_n(at, &seen, as_word(value), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
#endif
  }
};

/// Words in a block's shared memory that its threads change at the same time. The hardware adds 32 bits there; 64 would
/// be a loop of compare and swap, in which the threads of a hot group get in each other's way. So a word is two halves
/// and a carry: each time the lower half overflows, exactly one thread sees it and adds one to the upper.
struct InBlock {
  WEIR_HOST_DEVICE static void add(Word* at, Word value) noexcept { static_cast<void>(add_carry(at, value)); }
  WEIR_HOST_DEVICE static Word add_carry(Word* at, Word value) noexcept {
    Half* const halves = reinterpret_cast<Half*>(at);
    const auto low = static_cast<Half>(value);
    const Half before = low == 0 ? 0 : add_half(halves, low);
    const Word high = (value >> 32U) + (before + low < before ? 1U : 0U);
    // With a carry the upper half may be 2^32: nothing to add, but a carry of its own.
    if (static_cast<Half>(high) == 0) return high >> 32U;
    const Half above = add_half(halves + 1, static_cast<Half>(high));
    return static_cast<Half>(above + static_cast<Half>(high)) < above ? 1 : 0;
  }
  /// @brief *at += 1 for a word that never leaves its lower half: a launch has fewer than 2^32 rows.
  WEIR_HOST_DEVICE static void count(Word* at) noexcept { add_half(reinterpret_cast<Half*>(at), 1); }
  // 64 bits are compared in a loop too, but hardly ever: what is there only ever falls (rises), so a value that does
  // not beat what was read, however old, changes nothing.
  WEIR_HOST_DEVICE static void min(Word* at, std::int64_t value) noexcept {
    if (value >= as_signed(load(at))) return;
#ifdef __CUDA_ARCH__
    atomicMin(reinterpret_cast<long long*>(at), static_cast<long long>(value));
#else
    Shared::min(at, value);
#endif
  }
  WEIR_HOST_DEVICE static void max(Word* at, std::int64_t value) noexcept {
    if (value <= as_signed(load(at))) return;
#ifdef __CUDA_ARCH__
    atomicMax(reinterpret_cast<long long*>(at), static_cast<long long>(value));
#else
    Shared::max(at, value);
#endif
  }

 private:
  // Little-endian halves of a word: all that a device or a host of ours is.
#ifdef __GNUC__
  using Half __attribute__((may_alias)) = std::uint32_t;
#else
  using Half = std::uint32_t;
#endif
  WEIR_HOST_DEVICE static std::uint32_t add_half(Half* at, std::uint32_t value) noexcept {
#ifdef __CUDA_ARCH__
    return atomicAdd(at, value);
#else
    return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
#endif
  }
  WEIR_HOST_DEVICE static Word load(const Word* at) noexcept {
#ifdef __CUDA_ARCH__
    return *const_cast<const volatile Word*>(at);
#else
    return __atomic_load_n(at, __ATOMIC_RELAXED);
#endif
  }
};

/// Words that nobody else touches.
struct Own {
  WEIR_HOST_DEVICE static void add(Word* at, Word value) noexcept { *at += value; }
  WEIR_HOST_DEVICE static Word add_carry(Word* at, Word value) noexcept {
    *at += value;
    return *at < value ? 1 : 0;
  }
  WEIR_HOST_DEVICE static void min(Word* at, std::int64_t value) noexcept {
    if (value < as_signed(*at)) *at = as_word(value);
  }
  WEIR_HOST_DEVICE static void max(Word* at, std::int64_t value) noexcept {
    if (value > as_signed(*at)) *at = as_word(value);
  }
};

}  // namespace weir::kernels
