// What is done with full segments, by a thread of its own and in their order: marked complete and cut to what is used;
// those of a recording are then rewritten compressed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/file_system.hpp"
#include "journal/live_segment.hpp"

namespace weir::journal {

/// Any thread may call it.
class SegmentFinisher {
 public:
  struct Callbacks {
    std::function<void(const LiveSegment&)> completed;  ///< it survives a power cut from now on
    std::function<void(const std::string&)> failed;     ///< a segment could not be synced: nothing may be promised
    std::function<void(const std::string&)> notice;
  };

  SegmentFinisher(FileSystem& files, std::string directory, bool compress, Callbacks callbacks);
  /// Completes what was handed over; of the segments to be compressed it does the newest, the next start the others.
  ~SegmentFinisher();
  SegmentFinisher(const SegmentFinisher&) = delete;
  SegmentFinisher& operator=(const SegmentFinisher&) = delete;

  /// @brief Nothing more is appended to `segment`; its last record was number `end_number` - 1.
  /// @param followed another segment was begun
  void finish(std::shared_ptr<LiveSegment> segment, std::uint64_t end_number, bool followed);
  /// @brief Compresses a complete segment of an earlier process, unless it is.
  void compress(std::string path);

 private:
  struct Full {
    std::shared_ptr<LiveSegment> segment;
    std::uint64_t end_number = 0;
    bool followed = false;
  };
  void run();
  void complete(const Full& full);
  void rewrite(const std::string& path);

  FileSystem& files_;
  const std::string directory_;
  const bool compress_;
  const Callbacks callbacks_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Full> full_;
  std::deque<std::string> plain_;
  bool stopping_ = false;
  std::thread thread_;
};

/// @brief Rewrites a complete segment compressed, under the same name; what is compressed or unfinished stays as it is.
/// @throws Error, FileError; the segment is as it was then
void compress_segment(FileSystem& files, const std::string& directory, const std::string& path);

}  // namespace weir::journal
