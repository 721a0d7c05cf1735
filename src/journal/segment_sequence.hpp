// The records of several segments, one after the other: what recovery, replay and inspection read. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "journal/segment_reader.hpp"

namespace weir::journal {

class SegmentSequence {
 public:
  enum class OnDamage : std::uint8_t { refuse, skip };

  /// @param segments ascending, without those that lie entirely before `from` (segments_from())
  /// @param from number of the first record to give; earlier ones need not be readable
  SegmentSequence(std::vector<SegmentName> segments, std::uint64_t from, OnDamage on_damage,
                  FileSystem& files = real_file_system());

  /// @brief The next record, or nullptr after the last. Valid until the next call. @throws Error on damage, unless it
  /// is to be skipped
  const Record* next() {
    if (reader_) {
      const SegmentReader::Step step = reader_->next();
      if (step == SegmentReader::Step::record && reader_->record().number >= from_) [[likely]] {
        return &reader_->record();
      }
      pass(step);
    }
    return next_elsewhere();
  }
  /// @brief Bytes of files read so far.
  [[nodiscard]] std::uint64_t bytes_read() const noexcept;

 private:
  const Record* next_elsewhere();
  void pass(SegmentReader::Step step);
  bool open_next();
  void damaged(const std::string& what, std::uint64_t next_number) const;

  std::vector<SegmentName> segments_;
  std::uint64_t from_;
  OnDamage on_damage_;
  FileSystem& files_;
  std::size_t opened_ = 0;
  std::unique_ptr<SegmentReader> reader_;
  std::uint64_t read_before_ = 0;
};

/// @brief Those that hold records from `from` on. Numbers go from a segment's to the next one's.
std::vector<SegmentName> segments_from(const std::vector<SegmentName>& segments, std::uint64_t from);

/// @brief One line: records that lie in no segment.
std::string describe_gap(const std::string& before, std::uint64_t first_missing, std::uint64_t next_number);

}  // namespace weir::journal
