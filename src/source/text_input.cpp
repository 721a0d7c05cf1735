#include "source/text_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/printable.hpp"
#include "source/text_encoding.hpp"

namespace weir::source {

std::span<char> TextInput::Waiting::space() {
  bytes.resize(kPackedBytes);
  std::memmove(bytes.data(), bytes.data() + begin, size());
  end -= begin;
  begin = 0;
  return std::span(bytes).subspan(end);
}

std::size_t TextInput::Waiting::take(std::span<char> out) noexcept {
  const std::size_t bytes_taken = std::min(out.size(), size());
  std::copy_n(bytes.data() + begin, bytes_taken, out.data());
  begin += bytes_taken;
  return bytes_taken;
}

void TextInput::fail(const std::string& why) {
  if (!stopped_) {
    failure_ = fmt::format("cannot read '{}': {}", printable(path_), why);
  }
}

void TextInput::restart() {
  compression_known_ = encoding_known_ = ended_ = stopped_ = false;
  starts_ = true;
  decompressor_.reset();
  raw_.begin = raw_.end = unpacked_.begin = unpacked_.end = 0;
  converted_.clear();
  converted_begin_ = 0;
  failure_.clear();
}

void TextInput::set_plain() {
  restart();
  compression_known_ = encoding_known_ = true;
  encoding_ = spec::TextEncoding::utf8;
}

bool TextInput::is_packed(std::string_view front, spec::TextEncoding wanted) noexcept {
  if (compression_of(front, true) != Compression::none || !foreign_form(front, true)->empty()) {
    return true;
  }
  return (wanted == spec::TextEncoding::automatic ? encoding_of(front, true) : wanted) != spec::TextEncoding::utf8;
}

bool TextInput::find_compression(const Raw& raw) {
  while (!compression_known_) {
    const auto form = foreign_form(raw_.view(), ended_);
    if (const auto compression = compression_of(raw_.view(), ended_); compression && form) {
      compression_known_ = true;
      if (*compression != Compression::none) {
        decompressor_ = make_decompressor(*compression);
      } else if (!form->empty()) {
        fail(fmt::format("it is {}, which has to be unpacked or exported as text first", *form));
      }
      break;
    }
    const std::span<char> space = raw_.space();
    const std::size_t got = raw(space);
    raw_.end += got;
    ended_ |= got == 0;
    if (stopped_) {
      return false;
    }
  }
  return true;
}

std::size_t TextInput::decompressed(std::span<char> out, const Raw& raw) {
  if (!find_compression(raw) || !failure_.empty()) {
    return 0;
  }
  if (!decompressor_) {
    return raw_.size() > 0 ? raw_.take(out) : raw(out);
  }
  for (;;) {
    Decompressor::Step step =
        decompressor_->step(std::span<const char>(raw_.bytes).subspan(raw_.begin, raw_.size()), out);
    raw_.begin += step.taken;
    if (!step.problem.empty()) {
      fail(step.problem);
    }
    if (step.made > 0 || !failure_.empty()) {
      return step.made;
    }
    if (step.taken > 0 && raw_.size() > 0) {
      continue;
    }
    if (!ended_) {
      const std::span<char> space = raw_.space();
      const std::size_t got = raw(space);
      raw_.end += got;
      ended_ = got == 0;
    }
    if (ended_) {
      if (!decompressor_->may_end()) {
        fail("the compressed data is cut off: its end is missing");
      }
      return 0;
    }
  }
}

bool TextInput::find_encoding(const Raw& raw) {
  if (wanted_ != spec::TextEncoding::automatic) {
    encoding_ = wanted_;
    encoding_known_ = true;
  }
  bool end = false;
  while (!encoding_known_) {
    if (const auto encoding = encoding_of(unpacked_.view(), end)) {
      encoding_ = *encoding;
      encoding_known_ = true;
      break;
    }
    const std::span<char> space = unpacked_.space();
    const std::size_t got = decompressed(space, raw);
    unpacked_.end += got;
    end = got == 0;
    if (stopped_) {
      return false;
    }
  }
  return true;
}

std::size_t TextInput::read(std::span<char> out, const Raw& raw) {
  if (!encoding_known_ && !find_encoding(raw)) {
    return 0;
  }
  if (encoding_ == spec::TextEncoding::utf8) {
    return unpacked_.size() > 0 ? unpacked_.take(out) : decompressed(out, raw);
  }
  while (converted_begin_ == converted_.size()) {
    converted_.clear();
    converted_begin_ = 0;
    std::size_t replaced = 0;
    const std::size_t taken = append_as_utf8(encoding_, unpacked_.view(), starts_, converted_, replaced);
    unpacked_.begin += taken;
    starts_ &= taken == 0;
    if (replaced > 0 && !std::exchange(told_of_surrogates_, true)) {
      log::warn("'{}': half of a UTF-16 surrogate pair is read as U+FFFD: is it UTF-16?", printable(path_));
    }
    if (!converted_.empty()) {
      break;
    }
    const std::span<char> space = unpacked_.space();
    const std::size_t got = decompressed(space, raw);
    unpacked_.end += got;
    if (got == 0) {
      if (unpacked_.size() > 0 && failure_.empty()) {
        fail("the text is cut off in the middle of a UTF-16 character");
      }
      return 0;
    }
  }
  const std::size_t bytes = std::min(out.size(), converted_.size() - converted_begin_);
  std::copy_n(converted_.data() + converted_begin_, bytes, out.data());
  converted_begin_ += bytes;
  return bytes;
}

void TextInput::require_whole() const {
  if (!failure_.empty()) {
    throw Error(failure_);
  }
}

}  // namespace weir::source
