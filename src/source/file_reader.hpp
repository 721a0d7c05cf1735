// Reads a file, a pipe or standard input in blocks of whole lines.
//
// A line longer than max_message is one refused message; reading goes on behind its line break. Only a header line that
// is too long is an error, since nothing behind it could be read.
//
// A file that is resumed in its middle hands out its header line first (where the format has one), since the decoder
// takes the names of the columns from it. Pipes and standard input cannot be resumed: they are read from where they
// are.
//
// Position. `offset` is the byte offset; in a packed file (see text_input.hpp) that in its text, and the text in front
// of it is read again to come there. `detail` is "<bytes>:<hash of the ends of so many bytes>" of the file as it is, in
// hexadecimal digits. A file that does not begin with these bytes is another one (it was replaced or rotated) and is
// read from its beginning, with a warning.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "core/posix_file.hpp"
#include "source/line_buffer.hpp"
#include "source/source.hpp"
#include "source/stop_event.hpp"
#include "source/text_input.hpp"

namespace weir::source {

/// One thread. Owns the descriptor, unless it is standard input.
class FileReader final : public BlockReader {
 public:
  static constexpr std::uint64_t kToItsEnd = std::numeric_limits<std::uint64_t>::max();
  /// What is read of a file: from `begin`, an offset as in a position, to `end`, a byte of the file as it is.
  struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = kToItsEnd;
  };

  /// @brief The source `spec` (a file or standard input), from its position on.
  /// @param stop when set, next() returns false even while a pipe is silent; may be nullptr
  /// @throws Error "cannot read 'x': No such file or directory"
  FileReader(const spec::Source& spec, std::uint32_t index, const batch::SourcePosition& resume,
             const StopEvent* stop = nullptr);
  /// @brief A part of a file of the directory `spec`; its messages have no detail.
  FileReader(const spec::Source& spec, std::uint32_t index, std::string path, FileDescriptor file, Range range,
             const StopEvent* stop);

  bool next(batch::MessageView& message) override;
  /// Of the file as it is: those handed out, of a packed file those read.
  [[nodiscard]] std::uint64_t bytes_read() const override { return plain_ ? offset_ : at_; }
  [[nodiscard]] std::uint64_t bytes_total() const override { return total_; }
  /// @brief Whether next() came back with false because of `stop`.
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }
  /// @brief Whether the file came to its end before the end of the range.
  [[nodiscard]] bool cut_off() const noexcept { return end_ != kToItsEnd && at_ < end_; }
  /// @brief Whether the file is packed: compressed, or of another encoding than UTF-8.
  [[nodiscard]] static bool is_packed(const FileDescriptor& file, spec::TextEncoding wanted);

 private:
  void open();
  [[nodiscard]] bool is_the_file_of(const batch::SourcePosition& resume) const;
  void begin_at(std::uint64_t offset);
  void go_to(std::uint64_t offset);
  [[nodiscard]] std::size_t read_raw(std::span<char> space);
  void look_for_invalid_utf8(std::string_view text);
  /// Reads into the buffer; false at the end of the input.
  bool fill();
  [[nodiscard]] Lines next_lines();
  [[nodiscard]] std::string header_line();
  void refuse(const Lines& line, batch::MessageView& message);

  const spec::Format format_;
  const std::uint64_t max_message_;
  const std::string path_;
  const std::uint32_t index_;
  const StopEvent& stop_;
  FileDescriptor owned_;  // empty for standard input
  int fd_ = -1;
  bool regular_ = false;
  bool has_position_ = false;
  bool starts_file_ = false;  // the next block of lines does
  bool repeat_header_ = false;
  bool stopped_ = false;
  bool told_of_long_line_ = false;
  bool told_of_encoding_ = false;
  bool plain_ = false;        // the bytes of the file are the text
  std::uint64_t offset_ = 0;  // handed out
  std::uint64_t at_ = 0;      // read of the file as it is
  std::uint64_t skip_ = 0;    // of the text, before anything is handed out
  std::uint64_t end_ = kToItsEnd;
  std::uint64_t total_ = 0;
  std::string header_;
  std::string detail_;
  const spec::TextEncoding encoding_;
  TextInput input_;
  LineBuffer buffer_;
};

}  // namespace weir::source
