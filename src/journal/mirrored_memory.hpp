// Memory that is mapped twice in a row, so that a ring's records are contiguous wherever they lie: a record that runs
// past the end continues at the beginning, and no space is lost to padding. Linux (memfd_create).
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::journal {

/// Owns the mapping. data()[i] and data()[i + size()] are the same byte for i < size(). Pages are taken from the system
/// when they are first written. Not synchronised.
class MirroredMemory {
 public:
  /// @param at_least bytes; rounded up to whole pages. @throws Error when the system refuses.
  explicit MirroredMemory(std::uint64_t at_least);
  ~MirroredMemory();
  MirroredMemory(const MirroredMemory&) = delete;
  MirroredMemory& operator=(const MirroredMemory&) = delete;

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace weir::journal
