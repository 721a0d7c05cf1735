// Journals for tests: messages to put in, and a reader of the files that shares no code with the room. It knows the
// format from docs/file-formats.md alone.
#pragma once

#include <xxhash.h>
#include <zstd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/time_text.hpp"
#include "journal/durable_journal.hpp"
#include "support/temporary_directory.hpp"

namespace weir::test {

using journal::DurableOptions;
using journal::Journal;
using journal::Record;
using journal::Recovered;

/// A record that owns its texts.
struct Kept {
  int kind = 0;
  std::uint64_t number = 0;
  std::string payload, topic, detail;
  std::int64_t arrival_ns = 0;
  std::uint32_t source = 0;
  std::uint64_t offset = 0;
  std::uint64_t shed = 0;
  std::uint64_t refused = 0;  // 0, or 1 and the number of the reason
  bool sheddable = false, duplicate = false, starts_file = false;
  friend bool operator==(const Kept&, const Kept&) = default;
};

inline Kept keep(const Record& record) {
  const batch::MessageView& m = record.message;
  Kept kept;
  kept.kind = static_cast<int>(record.kind);
  kept.number = record.number;
  kept.payload = record.kind == Record::Kind::message ? m.payload : record.error;
  kept.topic = m.topic;
  kept.detail = m.position_detail;
  kept.arrival_ns = m.arrival_ns;
  kept.source = m.source;
  kept.offset = m.position_offset;
  kept.shed = record.shed;
  kept.refused = m.refused ? static_cast<std::uint64_t>(*m.refused) + 1 : 0;
  kept.sheddable = m.delivery == batch::Delivery::shed;
  kept.duplicate = m.duplicate;
  kept.starts_file = m.starts_file;
  return kept;
}

/// @brief A held-back message; the view ends with the payload.
inline batch::MessageView message(std::string_view payload, std::uint32_t source = 0) {
  batch::MessageView view;
  view.payload = payload;
  view.arrival_ns = 1'700'000'000'000'000'000;
  view.source = source;
  return view;
}

inline constexpr std::int64_t kNever = std::int64_t{1} << 62U;
inline constexpr std::chrono::seconds kLong{30};

inline std::unique_ptr<Journal> open_journal(const DurableOptions& options, std::uint64_t from = 0) {
  Recovered recovered;
  return open_durable_journal(options, from, recovered);
}

/// @brief What the worker reads until the journal is closed and drained, messages only.
inline std::vector<Kept> drain(Journal& journal) {
  journal.close();
  std::vector<Kept> messages;
  while (const Record* record = journal.next(kNever, kLong)) {
    if (record->kind == Record::Kind::message) messages.push_back(keep(*record));
  }
  return messages;
}

/// @brief Segments by name, ascending.
inline std::vector<std::string> segment_files(const std::string& directory) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".weir") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// Bytes as the document says: little-endian, put together by hand.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{static_cast<std::uint8_t>(text_at(at_ + i))} << 8 * i;
    at_ += size;
    return value;
  }
  std::string_view text(std::size_t size) {
    const std::string_view text = bytes_.substr(at_, size);
    if (text.size() != size) throw std::runtime_error("the file ends too early");
    at_ += size;
    return text;
  }
  [[nodiscard]] std::size_t at() const { return at_; }
  void skip_to(std::size_t at) { at_ = at; }
  [[nodiscard]] bool ended() const { return at_ >= bytes_.size(); }

 private:
  [[nodiscard]] char text_at(std::size_t at) const { return bytes_.at(at); }
  std::string_view bytes_;
  std::size_t at_ = 0;
};

inline void expect(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

/// @brief Frames up to the end, or up to the first that is all zero.
inline void parse_frames(std::string_view frames, std::uint64_t salt, std::vector<Kept>& records) {
  Bytes in(frames);
  while (!in.ended()) {
    const std::size_t begin = in.at();
    const std::uint64_t checksum = in.number(8);
    const std::string_view magic = in.text(2);
    if (checksum == 0 && magic == std::string_view("\0\0", 2)) return;
    expect(magic == "WJ", "a frame's magic");
    Kept kept;
    kept.kind = static_cast<int>(in.number(1));
    const std::uint64_t flags = in.number(1);
    kept.source = static_cast<std::uint32_t>(in.number(4));
    const std::size_t payload = in.number(4);
    const std::size_t topic = in.number(4);
    const std::size_t detail = in.number(4);
    kept.refused = in.number(4);
    kept.number = in.number(8);
    kept.arrival_ns = static_cast<std::int64_t>(in.number(8));
    (kept.kind == 0 ? kept.offset : kept.shed) = in.number(8);
    kept.payload = in.text(payload);
    kept.topic = in.text(topic);
    kept.detail = in.text(detail);
    kept.sheddable = (flags & 1U) != 0;
    kept.duplicate = (flags & 2U) != 0;
    kept.starts_file = (flags & 4U) != 0;
    const std::size_t end = (in.at() + 7) / 8 * 8;
    expect(XXH3_64bits_withSeed(frames.data() + begin + 8, end - begin - 8, salt) == checksum, "a frame's checksum");
    in.skip_to(end);
    records.push_back(kept);
  }
}

/// @brief Everything in a segment. @throws std::runtime_error where it is not as documented
inline std::vector<Kept> parse_segment(const std::string& path) {
  const std::string bytes = read_bytes(path);
  Bytes in(bytes);
  expect(in.text(8) == "WEIRJRNL", "the magic");
  expect(in.number(4) == 1, "the version");
  const bool compressed = in.number(4) == 1;
  const std::uint64_t salt = in.number(8);
  const std::uint64_t first = in.number(8);
  in.skip_to(56);
  expect(in.number(8) == XXH3_64bits_withSeed(bytes.data(), 56, 1), "the header's checksum");
  in.skip_to(72);
  const std::uint64_t complete = in.number(8);
  const std::uint64_t end = in.number(8);
  if (complete != 0) {
    expect(in.number(8) == XXH3_64bits_withSeed(bytes.data() + 72, 16, salt), "the completion's checksum");
    expect(complete <= bytes.size(), "the length of a complete segment");
  }
  const std::string name = std::filesystem::path(path).filename().string();
  expect(std::stoull(name.substr(8, 20)) == first, "the name");
  std::vector<Kept> records;
  if (!compressed) {
    parse_frames(std::string_view(bytes).substr(128, (complete != 0 ? complete : bytes.size()) - 128), salt, records);
  }
  for (std::size_t at = 128; compressed && at < complete;) {
    in.skip_to(at);
    const std::uint64_t checksum = in.number(8);
    expect(in.text(8) == "WJRNRBLK", "a block's magic");
    const std::uint64_t block_first = in.number(8);
    const std::uint64_t block_end = in.number(8);
    std::string frames(in.number(8), '\0');
    const std::size_t size = in.number(8);
    expect(XXH3_64bits_withSeed(bytes.data() + at + 8, 40 + size, salt) == checksum, "a block's checksum");
    const std::string_view text = in.text(size);
    expect(ZSTD_decompress(frames.data(), frames.size(), text.data(), text.size()) == frames.size(), "a block's bytes");
    const std::size_t before = records.size();
    parse_frames(frames, salt, records);
    expect(records.size() - before == block_end - block_first && records[before].number == block_first,
           "a block's numbers");
    at = (in.at() + 7) / 8 * 8;
  }
  expect(complete == 0 || records.size() == end - first, "the numbers of a complete segment");
  return records;
}

inline std::vector<Kept> parse_journal(const std::string& directory) {
  std::vector<Kept> records;
  for (const std::string& path : segment_files(directory)) {
    for (Kept& record : parse_segment(path)) records.push_back(std::move(record));
  }
  return records;
}

}  // namespace weir::test
