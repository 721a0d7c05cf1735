// The text of a file, a pipe or standard input, whatever it is packed in: gzip and Zstandard are recognised by their
// magic bytes and taken apart, UTF-16 and Latin-1 become UTF-8. Plain UTF-8 passes as it is, a byte order mark
// included.
//
// The text is a function of the bytes alone, so an offset in it is a position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/decompressor.hpp"
#include "source/text_form.hpp"

namespace weir::source {

/// What the buffers of one take at most.
inline constexpr std::size_t kPackedBytes = 64U << 10U;
inline constexpr std::uint64_t kTextInputBytes = kDecompressorBytes + 6 * kPackedBytes;

/// One thread.
class TextInput {
 public:
  /// Reads raw bytes: of a pipe what there is, at least one. 0 at the end, and when it was stopped.
  using Raw = std::function<std::size_t(std::span<char>)>;

  /// @param path for messages
  TextInput(std::string path, spec::TextEncoding encoding) : path_(std::move(path)), wanted_(encoding) {}

  /// @brief The next bytes of the text; 0 at the end, and at what is damaged or cut off.
  std::size_t read(std::span<char> out, const Raw& raw);
  /// @brief After the last byte. @throws Error "cannot read 'x': …" when that was not the end.
  void require_whole() const;
  /// @brief What was read is forgotten: the raw bytes come from the beginning again.
  void restart();
  /// @brief The raw bytes are known to be the text, and may come from anywhere.
  void set_plain();
  /// @brief After a read() that was stopped nothing is known to be cut off.
  void set_stopped() noexcept { stopped_ = true; }

  /// @brief Whether the bytes at the beginning of a file say that they are not the text itself.
  [[nodiscard]] static bool is_packed(std::string_view front, spec::TextEncoding wanted) noexcept;

 private:
  std::size_t decompressed(std::span<char> out, const Raw& raw);
  bool find_compression(const Raw& raw);
  bool find_encoding(const Raw& raw);
  void fail(const std::string& why);

  // Bytes that wait to be taken.
  struct Waiting {
    std::vector<char> bytes;
    std::size_t begin = 0;
    std::size_t end = 0;
    [[nodiscard]] std::size_t size() const noexcept { return end - begin; }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes.data() + begin, size()}; }
    std::span<char> space();
    std::size_t take(std::span<char> out) noexcept;
  };

  const std::string path_;
  const spec::TextEncoding wanted_;
  bool compression_known_ = false;
  bool encoding_known_ = false;
  spec::TextEncoding encoding_ = spec::TextEncoding::automatic;
  std::unique_ptr<Decompressor> decompressor_;
  Waiting raw_;
  Waiting unpacked_;
  std::string converted_;
  std::size_t converted_begin_ = 0;
  bool starts_ = true;
  bool ended_ = false;  // the raw bytes have
  bool stopped_ = false;
  bool told_of_surrogates_ = false;
  std::string failure_;
};

}  // namespace weir::source
