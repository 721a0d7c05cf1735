// A copy of a message with readable bytes after its end, so that vector code may load whole blocks.
//
// Owned by one decoder, used by its thread; the memory is kept from message to message.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace weir::decode {

class PaddedText {
 public:
  /// Covers simdjson's padding (32) and one block of the separator search (64).
  static constexpr std::size_t kPadding = 64;

  /// @param padding bytes after the text that may be read; they are zero
  explicit PaddedText(std::size_t padding = kPadding) : padding_(padding) {}

  /// @brief Holds first + second from now on; the views may not lie in this buffer.
  /// @throws std::bad_alloc
  void assign(std::string_view first, std::string_view second = {}) {
    const std::size_t size = first.size() + second.size();
    reserve(size + padding_);
    copy(bytes_.get(), first);
    copy(bytes_.get() + first.size(), second);
    std::memset(bytes_.get() + size, 0, padding_);
    size_ = size;
  }

  /// @brief Gives back memory of more than `bytes`, with the text that lies in it.
  void release_above(std::size_t bytes) noexcept {
    if (capacity_ > bytes + padding_) {
      bytes_.reset();
      capacity_ = 0;
      size_ = 0;
    }
  }

  /// @brief Appends one byte.
  void push_back(char byte) {
    if (size_ + 1 + padding_ > capacity_) {
      const std::unique_ptr<char[]> old = std::move(bytes_);
      capacity_ = 0;
      reserve(size_ + 1 + padding_);
      copy(bytes_.get(), {old.get(), size_});
    }
    bytes_[size_++] = byte;
    std::memset(bytes_.get() + size_, 0, padding_);
  }

  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get(), size_}; }
  [[nodiscard]] std::size_t padding() const noexcept { return padding_; }

 private:
  static void copy(char* to, std::string_view from) noexcept {
    if (!from.empty()) {
      std::memcpy(to, from.data(), from.size());
    }
  }
  void reserve(std::size_t bytes) {
    if (bytes > capacity_) {
      bytes_.reset();
      capacity_ = 0;
      bytes_ = std::make_unique_for_overwrite<char[]>(bytes);
      capacity_ = bytes;
    }
  }

  std::size_t padding_;
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace weir::decode
