// Memory for arrays that may be many megabytes: from two large pages on it is asked for in large pages, for scattered
// accesses would otherwise wait for page tables.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace weir {

inline constexpr std::size_t kLargePage = std::size_t{2} << 20U;

/// @brief Uninitialised memory, aligned to a cache line at least; std::free() releases it. @throws std::bad_alloc
inline void* allocate_large(std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  const std::size_t alignment = bytes >= 2 * kLargePage ? kLargePage : kLine;
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, bytes) != 0) throw std::bad_alloc();
#if defined(__linux__)
  // Only advice: failure costs nothing but time.
  if (alignment == kLargePage) static_cast<void>(::madvise(memory, bytes, MADV_HUGEPAGE));
#endif
  return memory;
}

/// For std::vector, and LargeVector.
template <class T>
struct LargeAllocator {
  using value_type = T;
  LargeAllocator() = default;
  template <class U>
  LargeAllocator(const LargeAllocator<U>& /*other*/) noexcept {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] T* allocate(std::size_t size) { return static_cast<T*>(allocate_large(size * sizeof(T))); }
  void deallocate(T* memory, std::size_t /*size*/) noexcept { std::free(memory); }
  friend bool operator==(const LargeAllocator& /*a*/, const LargeAllocator& /*b*/) noexcept { return true; }
};
template <class T>
using LargeVector = std::vector<T, LargeAllocator<T>>;

/// Uninitialised elements of fixed number; movable.
template <class T>
class LargeArray {
  static_assert(std::is_trivially_destructible_v<T> && std::is_trivially_copyable_v<T>);

 public:
  LargeArray() = default;
  explicit LargeArray(std::size_t size) : data_(static_cast<T*>(allocate_large(size * sizeof(T)))), size_(size) {}
  ~LargeArray() { std::free(data_); }
  LargeArray(LargeArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  LargeArray& operator=(LargeArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  LargeArray(const LargeArray&) = delete;
  LargeArray& operator=(const LargeArray&) = delete;

  [[nodiscard]] T* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace weir
