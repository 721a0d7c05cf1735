// The records of one segment, plain or compressed, complete or still written to, with every checksum verified.
//
// It reads with pread(), never through a mapping: a file that is cut off meanwhile, or a disk that fails, is an error
// and no signal. One thread. Damage does not end it: it searches the next good record and says what lies between.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/file_system.hpp"
#include "journal/record.hpp"
#include "journal/segment_format.hpp"

namespace weir::journal {

class SegmentReader {
 public:
  enum class Step : std::uint8_t {
    record,  ///< record() is the next one
    hole,    ///< fault() says which numbers are missing; reading goes on behind them
    torn,    ///< the last bytes of a segment that is not complete are no whole record; then comes `end`
    end
  };
  struct Fault {
    std::uint64_t offset = 0;         ///< in the file, where it begins
    std::uint64_t first_missing = 0;  ///< number
    std::uint64_t next_number = 0;    ///< first number that is there again; torn: first_missing
    std::string reason;
  };

  /// @throws Error when the file cannot be read, its header is damaged or it is of a newer version
  explicit SegmentReader(std::string path, FileSystem& files = real_file_system());
  ~SegmentReader();
  SegmentReader(const SegmentReader&) = delete;
  SegmentReader& operator=(const SegmentReader&) = delete;

  /// @throws Error when reading fails
  Step next();
  /// Valid until the next call of next().
  [[nodiscard]] const Record& record() const noexcept { return record_; }
  [[nodiscard]] const Fault& fault() const noexcept { return fault_; }
  /// @brief One line: the file, where, what cannot be read.
  [[nodiscard]] std::string describe_fault() const;
  /// @brief At the end: whether records are gone that lay in front of the mark up to which the segment was synced.
  [[nodiscard]] bool ends_too_early() const noexcept { return !header_.complete() && offset() < header_.synced_bytes; }
  /// @brief One line: the file, where, what is gone.
  [[nodiscard]] std::string describe_early_end() const;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const SegmentHeader& header() const noexcept { return header_; }
  /// @brief Number that the next record has to have.
  [[nodiscard]] std::uint64_t next_number() const noexcept { return expected_; }
  /// @brief Bytes of the file up to and with the last record (of a compressed segment: block).
  [[nodiscard]] std::uint64_t offset() const noexcept;
  /// @brief Bytes of the file that are the segment.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return limit_; }
  /// @brief Bytes of the file behind a complete segment, which mean nothing.
  [[nodiscard]] std::uint64_t spare_bytes() const noexcept { return file_bytes_ - limit_; }

 private:
  Step next_elsewhere();
  void take(std::uint64_t bytes);
  [[nodiscard]] bool make_available(std::uint64_t bytes);
  [[nodiscard]] bool next_block();
  [[nodiscard]] bool search();
  void note_fault(std::uint64_t offset, const char* reason);
  Step hole_until(std::uint64_t number);
  Step finish();
  [[nodiscard]] bool rest_is_zero() const noexcept;
  void read_at(std::uint64_t offset, char* to, std::uint64_t bytes) const;

  FileSystem& files_;
  std::string path_;
  FileDescriptor file_;
  SegmentHeader header_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t limit_ = 0;  // bytes of the file that are the segment
  std::uint64_t expected_ = 0;
  std::uint64_t good_end_ = 0;  // in the file, behind the last record of a plain segment
  Record record_;
  Fault fault_;
  const char* noted_ = nullptr;  // reason of a fault whose extent is not known yet
  bool nonzero_ = false;         // the bytes since then are not all zero
  bool finished_ = false;

  // The window of frames: of the file itself, or of one expanded block.
  struct Blocks;
  std::unique_ptr<Blocks> blocks_;  // of a compressed segment
  std::unique_ptr<char[]> owned_;
  std::uint64_t owned_bytes_ = 0;
  const char* window_ = nullptr;
  std::uint64_t base_ = 0;  // offset in the file of the window's first byte
  std::uint64_t at_ = 0;    // in the window: the next frame
  std::uint64_t have_ = 0;  // in the window: bytes that were read
};

}  // namespace weir::journal
