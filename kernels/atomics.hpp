// Additions and comparisons on words of cells that many threads share, and the same for words that belong to one
// thread. Host and device: on the device they are the native 64-bit atomics, on the host those of the compiler.
//
// Integers add in any order to the same bits, so relaxed atomics are all that exactness needs.
#pragma once

#include <cstdint>

#include "core/host_device.hpp"

namespace weir::kernels {

/// What cells are made of.
using Word = std::uint64_t;

WEIR_HOST_DEVICE inline std::int64_t as_signed(Word word) noexcept {
  return static_cast<std::int64_t>(word);
}
WEIR_HOST_DEVICE inline Word as_word(std::int64_t value) noexcept {
  return static_cast<Word>(value);
}

/// Words that other threads change at the same time.
struct Shared {
  /// @brief *at += value. @return what it was before
  WEIR_HOST_DEVICE static Word add(Word* at, Word value) noexcept {
#ifdef __CUDA_ARCH__
    return atomicAdd(reinterpret_cast<unsigned long long*>(at), static_cast<unsigned long long>(value));
#else
    return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
#endif
  }
  WEIR_HOST_DEVICE static void min(Word* at, std::int64_t value) noexcept {
#ifdef __CUDA_ARCH__
    atomicMin(reinterpret_cast<long long*>(at), static_cast<long long>(value));
#else
    Word seen = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (value < as_signed(seen) &&
           !__atomic_compare_exchange_n(at, &seen, as_word(value), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
#endif
  }
  WEIR_HOST_DEVICE static void max(Word* at, std::int64_t value) noexcept {
#ifdef __CUDA_ARCH__
    atomicMax(reinterpret_cast<long long*>(at), static_cast<long long>(value));
#else
    Word seen = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (value > as_signed(seen) &&
           !__atomic_compare_exchange_n(at, &seen, as_word(value), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
#endif
  }
};

/// Words that nobody else touches.
struct Own {
  WEIR_HOST_DEVICE static Word add(Word* at, Word value) noexcept {
    const Word before = *at;
    *at = before + value;
    return before;
  }
  WEIR_HOST_DEVICE static void min(Word* at, std::int64_t value) noexcept {
    if (value < as_signed(*at)) *at = as_word(value);
  }
  WEIR_HOST_DEVICE static void max(Word* at, std::int64_t value) noexcept {
    if (value > as_signed(*at)) *at = as_word(value);
  }
};

}  // namespace weir::kernels
