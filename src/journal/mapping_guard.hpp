// Keeps a process alive whose mapped file is cut off by somebody else, or lies on a disk that fails: touching such a
// page raises SIGBUS, which would end the process without a word.
//
// While a guard lives, a SIGBUS within its mapping puts empty memory in place of the whole mapping and marks it broken;
// whoever uses the mapping asks broken() behind each access whose result matters. Any other SIGBUS goes to whoever
// handled it before. The handler is installed with the first guard and stays.
#pragma once

#include <cstddef>

namespace weir::journal {

/// Any thread.
class MappingGuard {
 public:
  /// The mapping is one of a file, readable and writable, and outlives the guard.
  MappingGuard(void* memory, std::size_t bytes);
  ~MappingGuard();
  MappingGuard(const MappingGuard&) = delete;
  MappingGuard& operator=(const MappingGuard&) = delete;

  /// @brief The file behind the mapping is gone, or a part of it: what was written there is on no disk.
  [[nodiscard]] bool broken() const noexcept;

 private:
  std::size_t slot_;
};

}  // namespace weir::journal
