#include "state/serial.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"

namespace weir::state {

void Writer::grow(std::size_t bytes) {
  constexpr std::size_t kSmallest = 256;
  const std::size_t capacity = std::max({kSmallest, capacity_ * 2, size_ + bytes});
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(larger.get(), buffer_.get(), size_);
  buffer_ = std::move(larger);
  capacity_ = capacity;
}

void Reader::cut_short() {
  throw Error("checkpoint is cut short");
}

}  // namespace weir::state
