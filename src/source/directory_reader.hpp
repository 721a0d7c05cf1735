// Reads the files of a directory, each once, in the order of their modification time and then of their name, as Spark's
// textFileStream. A file has to be complete when it appears: write it elsewhere (or as ".name", "name.tmp",
// "name.part") and rename it. A file is known by its name and modification time: one that is replaced is a new file,
// and one that is appended to is read again from its beginning.
//
// Position. `offset` is the byte offset in the file being read; `detail` is a list of files, "<mtime ns>/<name>/" each.
// The last is the file being read, those in between were read before, and the first is a bound: whatever is at or below
// it in that order counts as read. The list keeps files up to kRememberTime older than the newest, kRememberFiles at
// most; so after a restart, a file is taken that appeared late by no more than that. While it runs, the reader takes
// every file that it has not seen, however old.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "source/file_reader.hpp"
#include "source/source.hpp"

namespace weir::source {

inline constexpr std::chrono::seconds kRememberTime{60};
inline constexpr std::size_t kRememberFiles = 1000;

/// One thread.
class DirectoryReader final : public BlockReader {
 public:
  /// @param stop see FileReader
  /// @throws Error "cannot read 'x': No such file or directory"; Error on a damaged position
  DirectoryReader(const spec::Source& spec, std::uint32_t index, const batch::SourcePosition& resume,
                  const StopEvent* stop = nullptr);

  /// @brief The next block of the files that the last scan() has found (the constructor scans once).
  bool next(batch::MessageView& message) override;
  /// @brief Whether next() has something to read.
  [[nodiscard]] bool found() const noexcept { return file_ != nullptr || !waiting_.empty(); }
  /// @brief Looks for new files. A directory that cannot be listed at the moment is logged once and has none.
  void scan();

  [[nodiscard]] std::uint64_t bytes_read() const override { return bytes_done_ + (file_ ? file_->bytes_read() : 0); }
  [[nodiscard]] std::uint64_t bytes_total() const override { return bytes_total_; }

 private:
  struct File {
    std::int64_t modified_ns = 0;
    std::string name;
    friend auto operator<=>(const File&, const File&) = default;
  };
  struct Found {
    File file;
    std::uint64_t bytes = 0;
    std::uint64_t offset = 0;
  };

  void list(std::vector<Found>& found) const;
  void admit(std::vector<Found>& found);
  void parse(const batch::SourcePosition& resume);
  bool open_next();
  void remember(const File& file);

  const spec::Source spec_;
  const std::uint32_t index_;
  const StopEvent* stop_;
  bool resumed_ = false;  // the bound and the list come from a position
  bool listing_fails_ = false;
  File bound_;                 // at or below: read, before the restart
  std::set<File> remembered_;  // read, above the bound
  File current_;
  std::uint64_t resume_offset_ = 0;
  std::set<File> seen_;  // what the last listing showed, read or waiting
  std::deque<Found> waiting_;
  std::unique_ptr<FileReader> file_;
  std::string detail_;
  std::uint64_t bytes_done_ = 0;
  std::uint64_t bytes_total_ = 0;
};

}  // namespace weir::source
