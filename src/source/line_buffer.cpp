#include "source/line_buffer.hpp"

#include <algorithm>
#include <cstring>

#include "batch/message.hpp"

namespace weir::source {

LineBuffer::LineBuffer(std::uint64_t longest, LongLine long_line)
    : longest_(longest), long_line_(long_line), bytes_(std::min(kBlockBytes, longest_ + 1)) {}

std::span<char> LineBuffer::space() {
  if (begin_ > 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    scanned_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == bytes_.size()) {
    bytes_.resize(std::min(2 * bytes_.size(), longest_ + 1));
  }
  return std::span(bytes_).subspan(end_, std::min(kBlockBytes, bytes_.size() - end_));
}

Lines LineBuffer::lines() {
  if (skipping_) {
    if (const Lines line = skip()) {
      return line;
    }
  }
  const void* newline = ::memrchr(bytes_.data() + scanned_, '\n', end_ - scanned_);
  scanned_ = end_;
  if (newline != nullptr) {
    return take(static_cast<std::size_t>(static_cast<const char*>(newline) - bytes_.data()) + 1);
  }
  if (end_ - begin_ <= longest_) {
    return {};
  }
  sample_.assign(bytes_.data() + begin_, std::min(end_ - begin_, batch::kRefusedSample));
  skipped_ = end_ - begin_;
  skipping_ = true;
  begin_ = scanned_ = end_ = 0;
  return long_line_ == LongLine::at_once ? Lines{sample_, skipped_, true} : Lines{};
}

Lines LineBuffer::skip() {
  const void* newline = std::memchr(bytes_.data() + begin_, '\n', end_ - begin_);
  skipping_ = newline == nullptr;
  const std::size_t until =
      skipping_ ? end_ : static_cast<std::size_t>(static_cast<const char*>(newline) - bytes_.data()) + 1;
  skipped_ += until - begin_;
  begin_ = scanned_ = until;
  return skipping_ || long_line_ == LongLine::at_once ? Lines{} : Lines{sample_, skipped_, true};
}

Lines LineBuffer::take(std::size_t until) noexcept {
  const std::string_view text(bytes_.data() + begin_, until - begin_);
  begin_ = until;
  return {text, text.size(), false};
}

Lines LineBuffer::rest() {
  if (skipping_) {
    skipped_ += end_ - begin_;
    clear();
    return long_line_ == LongLine::at_once ? Lines{} : Lines{sample_, skipped_, true};
  }
  scanned_ = end_;
  return take(end_);
}

void LineBuffer::clear() noexcept {
  begin_ = scanned_ = end_ = 0;
  skipping_ = false;
}

}  // namespace weir::source
