// The dead-letter file: a sample of the readings that were refused or came too late, and of the rows
// that a sink can never deliver, for people to look at.
//
// A log, not an output: it is appended to, it is limited, and it never stops the pipeline. Its own errors are counted
// and logged once. What it holds are payloads, so it is for its owner and group to read. Any thread may call it.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "batch/malformed.hpp"
#include "core/file_system.hpp"

namespace weir::sink {

class DeadLetters {
 public:
  static constexpr std::size_t kLongestPayload = 1024;
  /// Of a payload's text, where escapes make it longer than the payload.
  static constexpr std::size_t kLongestText = 2048;
  static constexpr ::mode_t kMode = 0640;

  /// @param limit most lines a stream between two next_interval() of it
  /// @param most_bytes of the file and the one before it, `<path>.1`, together; 0: no limit
  /// @param files outlives it
  explicit DeadLetters(std::uint32_t limit, std::uint64_t most_bytes = 0, FileSystem& files = real_file_system())
      : limit_(limit), most_bytes_(most_bytes), files_(files) {}

  /// @brief Opens the file, making its directories; without it (an empty path) nothing is written. @throws Error
  void open(const std::string& path);

  /// @param arrival_ns arrival of the message
  /// @param sample the payload or the line of it; what is above kLongestPayload or kLongestText is cut off
  void malformed(std::string_view stream, batch::Malformed reason, std::int64_t arrival_ns, std::string_view sample);
  /// @param row the reading's keys and fields as text
  void late(std::string_view stream, std::int64_t arrival_ns, std::string_view row);

  /// @param row as it was to be written
  void refused(std::string_view sink, std::string_view reason, std::string_view row);

  /// @brief A batch interval of the stream, or of all streams for a sink, begins: its limit counts from 0 again.
  void next_interval(std::string_view name);

  /// @brief Lines written; offered beyond the limit; lost to errors of the file.
  [[nodiscard]] std::uint64_t written() const noexcept { return written_; }
  [[nodiscard]] std::uint64_t over_limit() const noexcept { return over_limit_; }
  [[nodiscard]] std::uint64_t failed() const noexcept { return failed_; }

 private:
  void append(std::string_view line);
  void rotate();
  void put(std::string_view kind, std::string_view name, std::string_view reason, std::int64_t time_ns,
           std::string_view payload);

  const std::uint32_t limit_;
  const std::uint64_t most_bytes_;
  FileSystem& files_;
  std::mutex mutex_;  // guards the members up to line_
  std::string path_;
  FileDescriptor file_;
  bool regular_ = false;
  std::uint64_t bytes_ = 0;  // in the file
  std::map<std::string, std::uint32_t, std::less<>> used_;
  std::string line_;
  std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> over_limit_{0};
  std::atomic<std::uint64_t> failed_{0};
};

}  // namespace weir::sink
