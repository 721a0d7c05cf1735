// Reads the files of a directory, each once, in the order of their names.
//
// A watched directory: a file is read when it is complete, that is when it did not change for `settle`; so a file that
// was written elsewhere, or under a name that is never read (".name", "name.tmp", "name.part"), and renamed into place
// is read at once or soon. Files behind it, by their names, wait that long for it. A replay takes what is there as it
// stands. An empty file has nothing to read, and waits until it has.
//
// What was read is told by read_files.hpp: neither another name nor another modification time makes a file a new one,
// but other content does. What is appended to a file that was read is read on (`growing = "follow"`: up to the last
// line break each time), or refused.
//
// Several files that a source names (`paths`) are read the same way, in their order and as they stand; what is appended
// to them is read at the next start.
//
// A file that cannot be read is one refused message with its name and the reason, and the next file goes on. It is
// tried again when its attributes change, and at the next start.
//
// Position. `offset` is the byte offset in the file being read, which is the last one that `detail` tells of (see
// read_files.hpp); only the first message of a file has a detail.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/file_reader.hpp"
#include "source/first_directory_position.hpp"
#include "source/read_files.hpp"
#include "source/source.hpp"

namespace weir::source {

/// One thread.
class DirectoryReader final : public BlockReader {
 public:
  enum class Taking : std::uint8_t { when_complete, as_it_stands };

  /// @param stop see FileReader
  /// @throws Error "cannot read 'x': No such file or directory"; Error on a damaged position
  DirectoryReader(const spec::Source& spec, std::uint32_t index, const batch::SourcePosition& resume, Taking taking,
                  const StopEvent* stop = nullptr);

  /// @brief The next block of the files that the last scan() has found (the constructor scans once), or a file that is
  /// refused.
  bool next(batch::MessageView& message) override;
  /// @brief Looks for new files, once what was found before is read. A directory that cannot be listed at the moment is
  /// logged once and has none.
  void scan();
  /// @brief How long to wait before the next scan().
  [[nodiscard]] Duration pause() const noexcept;

  [[nodiscard]] std::uint64_t bytes_read() const override;
  [[nodiscard]] std::uint64_t bytes_total() const override { return bytes_total_; }

 private:
  using Clock = std::chrono::steady_clock;

  /// A file as a listing shows it.
  struct Listed {
    std::string name;
    std::uint64_t id = 0;
    std::uint64_t bytes = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;  // its attributes were
    bool link = false;
    bool regular = false;
  };
  /// One that is not known to be complete, or waits for one in front of it.
  struct Young {
    std::uint64_t id = 0;
    std::uint64_t bytes = 0;
    std::int64_t modified_ns = 0;
    Clock::time_point first_seen;
    Clock::time_point unchanged_since;
    std::optional<Clock::time_point> complete_since;
  };
  struct Resumed {
    std::uint64_t id = 0;
    std::uint64_t offset = 0;
  };

  void resume_at(const batch::SourcePosition& position);
  void take_over(const FirstDirectoryPosition& position, std::uint64_t offset);
  [[nodiscard]] std::vector<Listed> list();
  [[nodiscard]] std::vector<Listed> list_paths() const;
  [[nodiscard]] std::string name_of_all() const;
  void admit(std::vector<Listed> listed);
  [[nodiscard]] bool waits(const Listed& file, Young& young, bool& written_in_front) const;
  [[nodiscard]] static std::optional<Listed> look_at(int directory, const char* name, int flags);
  [[nodiscard]] static std::uint32_t stamp_of(const Listed& file);
  /// As stamp_of(), and changed by whatever could make the file readable.
  [[nodiscard]] static std::uint32_t stamp_of_unreadable(const Listed& file);
  /// Whether it was told of as unreadable as it stands.
  [[nodiscard]] static bool is_counted(const ReadFile& known, const Listed& file);
  [[nodiscard]] static bool is_unchanged(const ReadFiles::Entry& known, const Listed& file);

  /// Opens the next file. True when there is something to hand on: a file_, or a refused message.
  bool begin(Listed file, batch::MessageView& message);
  bool begin_anew(const Listed& file, FileDescriptor descriptor, std::uint64_t from, batch::MessageView& message);
  bool grown(const Listed& file, const ReadFile& known, FileDescriptor descriptor, batch::MessageView& message);
  void read(const Listed& file, FileDescriptor descriptor, FileReader::Range range);
  bool cannot_open(const Listed& file, int error, batch::MessageView& message);
  bool hand_on(batch::MessageView& message);
  bool refuse(const std::string& what, std::string detail, batch::MessageView& message);
  [[nodiscard]] std::string path_of(const Listed& file) const {
    return spec_.paths.empty() ? spec_.path + "/" + file.name : file.name;
  }

  const spec::Source spec_;
  const std::uint32_t index_;
  const Taking taking_;
  const StopEvent* stop_;
  ReadFiles read_;
  std::optional<Resumed> resumed_;  // what was being read when the position was taken
  bool listing_fails_ = false;
  bool told_of_links_ = false;
  bool told_of_hidden_ = false;
  std::map<std::string, Young> young_;  // by name
  std::deque<Listed> waiting_;
  Listed current_;               // of file_
  bool counted_before_ = false;  // as unreadable
  std::unique_ptr<FileReader> file_;
  std::uint64_t offset_ = 0;  // of the position
  std::string detail_;
  bool detail_is_new_ = false;
  std::string sample_;
  std::uint64_t bytes_done_ = 0;
  std::uint64_t bytes_total_ = 0;
};

}  // namespace weir::source
