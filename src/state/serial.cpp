#include "state/serial.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"

namespace weir::state {

void Writer::grow(std::size_t bytes) {
  constexpr std::size_t kSmallest = 256;
  LargeArray<char> larger(std::max({kSmallest, buffer_.size() * 2, size_ + bytes}));
  if (size_ > 0) std::memcpy(larger.data(), buffer_.data(), size_);
  buffer_ = std::move(larger);
}

void Reader::cut_short() {
  throw Error("checkpoint is cut short");
}

}  // namespace weir::state
