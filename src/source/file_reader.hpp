// Reads a file, a pipe or standard input in blocks of whole lines.
//
// A file that is resumed in its middle hands out its header line first (where the format has one), since the decoder
// takes the names of the columns from it. Pipes and standard input cannot be resumed: they are read from where they
// are.
#pragma once

#include <cstdint>
#include <string>

#include "core/posix_file.hpp"
#include "source/line_buffer.hpp"
#include "source/source.hpp"
#include "source/stop_event.hpp"

namespace weir::source {

/// One thread. Owns the descriptor, unless it is standard input.
class FileReader final : public BlockReader {
 public:
  /// @param path "-" is standard input
  /// @param offset bytes already read before the restart
  /// @param stop when set, next() returns false even while a pipe is silent; may be nullptr
  /// @throws Error "cannot read 'x': No such file or directory"
  FileReader(const std::string& path, const spec::Format& format, std::uint32_t index, std::uint64_t offset,
             const StopEvent* stop = nullptr);

  bool next(batch::MessageView& message) override;
  [[nodiscard]] std::uint64_t bytes_read() const override { return offset_; }
  [[nodiscard]] std::uint64_t bytes_total() const override { return total_; }
  /// @brief Whether next() came back with false because of `stop`.
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }

 private:
  /// Reads into the buffer; false at the end of the input.
  bool fill();
  [[nodiscard]] std::string_view next_block();
  [[nodiscard]] std::string header_line();

  std::string path_;
  std::uint32_t index_;
  const StopEvent* stop_;
  FileDescriptor owned_;  // empty for standard input
  int fd_ = -1;
  bool regular_ = false;
  bool begun_ = false;
  bool repeat_header_ = false;
  bool stopped_ = false;
  char comment_;
  std::uint64_t offset_;
  std::uint64_t total_ = 0;
  std::string header_;
  LineBuffer buffer_;
};

}  // namespace weir::source
