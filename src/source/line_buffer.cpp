#include "source/line_buffer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/error.hpp"

namespace weir::source {

std::span<char> LineBuffer::space() {
  if (begin_ > 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    scanned_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == bytes_.size()) {
    if (end_ > kLongestLine) {
      throw Error(fmt::format("{}: a line is longer than {} MiB; is this a text file?", name_, kLongestLine >> 20U));
    }
    bytes_.resize(std::min(2 * bytes_.size(), kLongestLine + 1));
  }
  return std::span(bytes_).subspan(end_);
}

std::string_view LineBuffer::lines() noexcept {
  const void* newline = ::memrchr(bytes_.data() + scanned_, '\n', end_ - scanned_);
  scanned_ = end_;
  if (newline == nullptr) {
    return {};
  }
  const auto after = static_cast<std::size_t>(static_cast<const char*>(newline) - bytes_.data()) + 1;
  const std::string_view block(bytes_.data() + begin_, after - begin_);
  begin_ = after;
  return block;
}

std::string_view LineBuffer::rest() noexcept {
  const std::string_view block(bytes_.data() + begin_, end_ - begin_);
  begin_ = scanned_ = end_;
  return block;
}

}  // namespace weir::source
