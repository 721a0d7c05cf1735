#include "execute/cpu/core_cell.hpp"

#include <cstddef>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace weir::execute::cpu {

#if defined(__x86_64__)
namespace {

using Cell = CoreCell<true, true>;
static_assert(sizeof(Cell) == 32 && offsetof(Cell, low) == 0 && offsetof(Cell, wraps) == 8 &&
              offsetof(Cell, count) == 12 && offsetof(Cell, extremes) == 16);

constexpr std::uint32_t kStep = 8;
#ifndef SA
#define SA 256
#endif
constexpr std::uint32_t kStreamAhead = SA;

/// Whether all of kStep values are narrow: moved up by 2^31 they fit 32 bits.
__attribute__((target("avx2"))) bool all_narrow(const std::int64_t* values) noexcept {
  const __m256i up = _mm256_set1_epi64x(kNarrow);
  const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
  const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values + 4));
  const __m256i any = _mm256_or_si256(_mm256_add_epi64(first, up), _mm256_add_epi64(second, up));
  return _mm256_testz_si256(any, _mm256_set1_epi64x(~std::int64_t{0xFFFF'FFFF})) != 0;
}

// The whole cell is one vector: {low, wraps and count, min, ~max}. The value is added to the first word, one to the
// count in the upper half of the second; the other two take the smaller of what they hold and {value, ~value}.
template <bool kPrefetch>
__attribute__((target("avx2"))) std::uint32_t scatter_avx2(Cell* cells, const std::uint32_t* groups,
                                                           const std::int64_t* values, std::uint32_t size,
                                                           std::uint32_t ahead) noexcept {
  const __m256i flip = _mm256_set_epi64x(-1, 0, 0, 0);
  const __m256i one = _mm256_set_epi64x(0, 0, std::int64_t{1} << 32, 0);
  std::uint32_t done = 0;
  for (; done + kStep <= size && all_narrow(values + done); done += kStep) {
    __builtin_prefetch(values + done + kStreamAhead, 0, 2);
    __builtin_prefetch(groups + done + kStreamAhead, 0, 2);
    for (std::uint32_t i = done; i < done + kStep; ++i) {
      if constexpr (kPrefetch) {
        if (i + ahead < size) __builtin_prefetch(&cells[groups[i + ahead]], 1);
      }
      auto* const cell = reinterpret_cast<__m256i*>(&cells[groups[i]]);
      const __m256i held = _mm256_load_si256(cell);
      const __m256i value = _mm256_set1_epi64x(values[i]);
      const __m256i sum = _mm256_add_epi64(held, _mm256_blend_epi32(value, one, 0b1111'1100));
      const __m256i offered = _mm256_xor_si256(value, flip);
      const __m256i smaller = _mm256_blendv_epi8(held, offered, _mm256_cmpgt_epi64(held, offered));
      _mm256_store_si256(cell, _mm256_blend_epi32(sum, smaller, 0b1111'0000));
    }
  }
  return done;
}

std::uint32_t scatter_none(Cell* /*cells*/, const std::uint32_t* /*groups*/, const std::int64_t* /*values*/,
                           std::uint32_t /*size*/, std::uint32_t /*ahead*/) noexcept {
  return 0;
}

std::uint32_t scatter_either(Cell* cells, const std::uint32_t* groups, const std::int64_t* values, std::uint32_t size,
                             std::uint32_t ahead) noexcept {
  return ahead == 0 ? scatter_avx2<false>(cells, groups, values, size, ahead)
                    : scatter_avx2<true>(cells, groups, values, size, ahead);
}

const auto scatter = __builtin_cpu_supports("avx2") ? scatter_either : scatter_none;

}  // namespace

std::uint32_t scatter_vectors(CoreCell<true, true>* cells, const std::uint32_t* groups, const std::int64_t* values,
                              std::uint32_t size, std::uint32_t ahead) noexcept {
  return scatter(cells, groups, values, size, ahead);
}

#else

std::uint32_t scatter_vectors(CoreCell<true, true>* /*cells*/, const std::uint32_t* /*groups*/,
                              const std::int64_t* /*values*/, std::uint32_t /*size*/,
                              std::uint32_t /*ahead*/) noexcept {
  return 0;
}

#endif

}  // namespace weir::execute::cpu
