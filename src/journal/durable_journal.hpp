// The journal on disk: append-only segments of checksummed records (docs/file-formats.md), which are recovery's input
// and, kept, the recording that `weir replay` reads.
//
// A held-back message (QoS 1 and 2, files, TCP) is in the segment when offer() returns, so its sender may be answered.
// A sheddable one (QoS 0) is promised nothing: it waits in memory, where the oldest make room when the engine falls
// behind, and enters the segment when the worker asks for it. Ticks, ends and starts are records as well.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/file_system.hpp"
#include "journal/journal.hpp"

namespace weir::journal {

/// For `from`: read nothing of what is there, only what is appended from now on.
inline constexpr std::uint64_t kJournalEnd = std::numeric_limits<std::uint64_t>::max();

struct DurableOptions {
  std::string directory;                      ///< of this stream's segments; created with mode 0700, files 0600
  std::uint64_t segment_bytes = 64U << 20U;   ///< a segment is allocated whole; a larger message gets one of its own
  std::uint64_t memory_bytes = 64U << 20U;    ///< most that waits in memory (sheddable messages)
  std::uint64_t backlog_bytes = 1ULL << 30U;  ///< held-back producers wait while so much on disk waits for the worker
  bool sync_each = false;                     ///< journal_sync = "always": offer() returns after fdatasync
  bool keep = false;         ///< a recording: release_before() removes nothing, full segments are compressed
  bool skip_damage = false;  ///< go on after damaged records instead of refusing
  /// The arrival clock an earlier life had come to, as a checkpoint has it; records that are there may go beyond.
  std::int64_t last_arrival_ns = std::numeric_limits<std::int64_t>::min();
  /// A wall clock before this cannot be right (ArrivalClock::resume).
  std::int64_t not_before_ns = std::numeric_limits<std::int64_t>::min();
  FileSystem* files = &real_file_system();
  /// Told what happens in the background, one line each: the disk is full, there is room again, a segment that cannot
  /// be compressed, a wall clock that was set. From any thread, also under the journal's locks: it must not call the
  /// journal.
  std::function<void(const std::string&)> notice;
};

/// What was in the journal already, from the number on that the reader begins with.
struct Recovered {
  std::uint64_t from = 0;  ///< that number
  std::uint64_t records = 0;
  /// How each source that has messages there goes on from the position before them (SourcePosition::advance()).
  std::vector<std::pair<std::uint32_t, batch::SourcePosition>> positions;
  std::vector<std::string> warnings;  ///< one line each: a torn end that was cut off, damage that was skipped
};

/// @brief Looks at the journal, verifies it, and takes room for its first segment, but changes nothing of what is there
/// until begin(). A sender that can wait waits until then. One that acknowledges begins the journal, for its message
/// would be lost, so what has to be before that (the first checkpoint) is before its source starts.
/// @throws as open_durable_journal()
std::unique_ptr<Journal> prepare_durable_journal(const DurableOptions& options, std::uint64_t from,
                                                 Recovered& recovered);
/// @brief prepare_durable_journal() and begin(): opens or creates the journal; its reader begins with record `from`.
/// Appends a `started` record.
/// @throws Error when it cannot be used: the directory cannot be written, records from `from` on are missing or
/// damaged (naming file and offset) and skip_damage is not set.
std::unique_ptr<Journal> open_durable_journal(const DurableOptions& options, std::uint64_t from, Recovered& recovered);

/// A journal or recording that is only read, e.g. by `weir replay` and `weir inspect`. One thread.
class JournalReader {
 public:
  virtual ~JournalReader() = default;
  /// @brief The next record, or nullptr after the last. Valid until the next call. @throws Error on damage.
  virtual const Record* next() = 0;
  [[nodiscard]] virtual std::uint64_t bytes_read() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t bytes_total() const noexcept = 0;
};

/// @param path a segment, or a directory of them (all of its segments in order). @throws Error
std::unique_ptr<JournalReader> open_journal_reader(const std::string& path, std::uint64_t from = 0);
/// @brief Whether the file or directory holds a journal, by its first bytes or its file names.
bool is_journal(const std::string& path);

/// One segment as `weir inspect` shows it.
struct SegmentInfo {
  std::string path;
  std::uint64_t bytes = 0;
  std::uint64_t first_number = 0;
  std::uint64_t records = 0;
  std::int64_t first_arrival_ns = 0;
  std::int64_t last_arrival_ns = 0;
  bool compressed = false;
  bool complete = false;  ///< nothing more is appended to it
  std::string damage;     ///< empty: every checksum agrees
};
std::vector<SegmentInfo> list_segments(const std::string& directory);

}  // namespace weir::journal
