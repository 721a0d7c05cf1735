// One file of result rows: buffered, append-only, cut back to a known position after a crash, rotated by size or time.
//
// The file that rows go to always has the name `path`, so that it can be followed with tail -F. A rotation renames it
// to `<stem>.<first window end>[_<n>]<extension>`, e.g. out/plug_load.20130831T220001Z.jsonl, and begins a new one. The
// names depend on nothing but the rows, so a run that is repeated after a crash makes the same files.
//
// Rows are buffered until flush(); the destructor drops what was not flushed (the position in the last checkpoint does
// not count it). Nothing is synced here but at the end: a checkpoint takes duplicates of the descriptors along and
// syncs them before it counts. Used by one thread; an flock keeps a second writer away from the same file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/duration.hpp"
#include "core/file_system.hpp"
#include "core/file_to_sync.hpp"
#include "sink/full_disk.hpp"

namespace weir::sink {

struct RotationRule {
  std::uint64_t bytes = 0;  ///< a file that has rows grows no further than this; 0: no limit
  Duration every{0};        ///< window ends in (k·every, (k+1)·every] share a file; 0: no limit
};

/// Where a file stood at a checkpoint.
struct FilePosition {
  std::string path;
  std::string header;
  std::uint64_t offset = 0;
  std::uint64_t tail_hash = 0;                      ///< XXH3 of the last kTailBytes before offset
  std::optional<std::int64_t> first_window_end_ns;  ///< of the first row; nothing: no rows
  std::int64_t newest_window_end_ns = 0;
  std::string last_stamp;  ///< of the last rotated file; empty: none
  std::uint64_t last_number = 0;
};

class OutputFile {
 public:
  /// Bytes before a position that identify the file it was taken in.
  static constexpr std::size_t kTailBytes = 4096;

  enum class Beginning : std::uint8_t { overwrite, append };

  /// What a file is written with; both outlive it.
  struct System {
    FileSystem& files;
    FullDisk& disk;
    ::mode_t mode = 0640;  ///< of a file that it creates, whatever the umask is
  };

  /// @brief Creates the file and its directories; a file that is there is emptied, or goes on behind its last whole
  /// row. A new or emptied one begins with `header`. @throws Error
  OutputFile(System system, std::string path, std::string header, RotationRule rule,
             Beginning beginning = Beginning::overwrite);
  /// @brief Goes on at `position`: what was written later is cut off, files rotated later are removed (their rows come
  /// again). @throws Error when the file is missing, shorter, or not the one that the position was taken in.
  OutputFile(System system, const FilePosition& position, RotationRule rule);

  // What the two constructors would refuse, without a change to any file.
  /// @throws Error
  static void require_usable(FileSystem& files, const std::string& path, std::string_view header, Beginning beginning);
  /// @throws Error
  static void require_at(FileSystem& files, const FilePosition& position);
  /// @brief Whether the file of the position holds rows behind it, under its own name or a rotated one.
  [[nodiscard]] static bool has_rows_after(FileSystem& files, const FilePosition& position);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& header() const noexcept { return header_; }

  /// @brief The buffer to append one row to, without line end; then end_row(). May rotate first. @throws Error
  std::string& begin_row(std::int64_t window_end_ns);
  void end_row();

  /// @brief Buffered rows to the operating system; waits while the disk is full. @throws Error; the file ends with a
  /// whole row then, and a later flush() writes the same rows again.
  void flush();
  /// @brief flush() and the position, which counts once what is appended to `to_sync` is on the disk. @throws Error
  FilePosition checkpoint(std::vector<FileToSync>& to_sync);
  /// @brief flush(); a file under rotation that has rows gets its final name. @throws Error
  void close();

 private:
  void open_current();
  void lock();
  void follow_rotated();
  void tell_of_removal();
  bool go_on_behind_last_row();
  void begin_file();
  void rotate();
  void give_final_name();
  void write_buffer();
  [[nodiscard]] bool rotates() const noexcept { return regular_ && (rule_.bytes != 0 || rule_.every.count() != 0); }
  [[nodiscard]] std::int64_t period(std::int64_t window_end_ns) const noexcept;

  System system_;
  std::string path_;
  std::string header_;
  RotationRule rule_;
  FileDescriptor file_;
  bool regular_ = true;              // a device or pipe has no position
  bool removed_ = false;             // and told of
  bool directory_changed_ = false;   // since the last checkpoint
  std::vector<FileToSync> rotated_;  // since the last checkpoint
  std::string buffer_;
  std::size_t row_begin_ = 0;
  std::int64_t row_window_end_ns_ = 0;
  std::uint64_t offset_ = 0;  // bytes in the file: all of them whole rows
  std::string tail_;          // the last bytes before offset_, at most kTailBytes
  std::optional<std::int64_t> first_window_end_ns_;
  std::int64_t newest_window_end_ns_ = 0;
  std::string last_stamp_;
  std::uint64_t last_number_ = 0;
};

}  // namespace weir::sink
