#include "state/checkpoint_format.hpp"

#include <fmt/core.h>
#include <xxhash.h>

#include <new>

#include "core/error.hpp"
#include "state/serial.hpp"

namespace weir::state {
namespace {

constexpr std::size_t kPlaceBytes = 4 * 8;

// The version seeds the checksum: a flipped bit in it is damage, not another version.
std::uint64_t body_checksum(std::string_view body, std::uint32_t version) {
  return XXH3_64bits_withSeed(body.data(), body.size(), version);
}

// The body, or a description of the damage in `head`.
std::string_view parse_frame(std::string_view bytes, std::uint64_t file_bytes, ParsedHead& head) {
  if (bytes.size() < kFrameBytes) {
    head.damage = "cut short";
    return {};
  }
  if (!bytes.starts_with(kCheckpointMagic)) {
    head.damage = "not a checkpoint file";
    return {};
  }
  Reader in(bytes.substr(kCheckpointMagic.size()));
  head.version = in.u32();
  const std::uint64_t body_bytes = in.u64();
  const std::uint64_t expected = in.u64();
  if (body_bytes > in.remaining() || file_bytes < bytes.size()) {
    head.damage = "cut short";
    return {};
  }
  head.bytes = kFrameBytes + body_bytes;
  const std::string_view body = bytes.substr(kFrameBytes, static_cast<std::size_t>(body_bytes));
  if (body_checksum(body, head.version) != expected) head.damage = "head: checksum differs";
  return body;
}

// Every section is one chunk of this file.
void parse_sections_1(Reader& in, ParsedHead& head) {
  constexpr std::size_t kEntryBytes = 8 + 8 + 8;  // of a section with an empty name
  std::uint64_t offset = head.bytes;
  for (std::uint64_t left = in.count(kEntryBytes); left > 0; --left) {
    SectionTable& section = head.table.sections.emplace_back();
    section.name = in.text();
    const std::uint64_t bytes = in.u64();
    const std::uint64_t checksum = in.u64();
    section.chunks.push_back({head.table.number, offset, bytes, checksum});
    if (__builtin_add_overflow(offset, bytes, &offset)) throw Error("a section is longer than any file");
  }
}

void parse_sections_2(Reader& in, ParsedHead& head) {
  for (std::uint64_t left = in.count(8 + 8); left > 0; --left) {
    std::string name(in.text());
    head.table.needs.emplace_back(std::move(name), in.u64());
  }
  for (std::uint64_t left = in.count(8 + 8); left > 0; --left) {
    SectionTable& section = head.table.sections.emplace_back();
    section.name = in.text();
    for (std::uint64_t chunks = in.count(kPlaceBytes); chunks > 0; --chunks) {
      ChunkPlace& place = section.chunks.emplace_back();
      for (std::uint64_t* value : {&place.file, &place.offset, &place.bytes, &place.checksum}) *value = in.u64();
    }
  }
}

// The chunks of this file follow the head in their order, without gaps, and the end mark follows them.
void check_layout(std::uint64_t file_bytes, ParsedHead& head) {
  std::uint64_t end = head.bytes;
  for (const SectionTable& section : head.table.sections) {
    for (const ChunkPlace& place : section.chunks) {
      if (place.file > head.table.number) {
        head.damage = fmt::format("section '{}': a chunk lies in a later file", section.name);
        return;
      }
      if (place.file < head.table.number) continue;
      if (place.offset != end) {
        head.damage = fmt::format("section '{}': a chunk lies where none can be", section.name);
        return;
      }
      if (__builtin_add_overflow(end, place.bytes, &end) || end > file_bytes) {
        head.damage = fmt::format("section '{}': cut short", section.name);
        return;
      }
    }
  }
  if (file_bytes - end < kCheckpointEnd.size()) {
    head.damage = "cut short";
  } else if (file_bytes - end > kCheckpointEnd.size()) {
    head.damage = "longer than its chunks";
  }
}

}  // namespace

ChunkChecksum::ChunkChecksum() : state_(XXH3_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(state_.get());
}

void ChunkChecksum::Free::operator()(XXH3_state_s* state) const noexcept {
  XXH3_freeState(state);
}

void ChunkChecksum::add(std::string_view bytes) noexcept {
  XXH3_64bits_update(state_.get(), bytes.data(), bytes.size());
}

std::uint64_t ChunkChecksum::value() const noexcept {
  return XXH3_64bits_digest(state_.get());
}

std::uint64_t chunk_checksum(std::string_view bytes) noexcept {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::uint64_t head_bytes(const CheckpointTable& table) noexcept {
  std::uint64_t bytes = kFrameBytes + 8 + 8 + 8 + 8;
  for (const auto& [name, number] : table.needs) bytes += 8 + name.size() + 8;
  for (const SectionTable& section : table.sections) {
    bytes += 8 + section.name.size() + 8 + section.chunks.size() * kPlaceBytes;
  }
  return bytes;
}

std::string encode_head(const CheckpointTable& table) {
  Writer body;
  body.u64(table.number);
  body.i64(table.written_ns);
  body.u64(table.needs.size());
  for (const auto& [name, number] : table.needs) {
    body.text(name);
    body.u64(number);
  }
  body.u64(table.sections.size());
  for (const SectionTable& section : table.sections) {
    body.text(section.name);
    body.u64(section.chunks.size());
    for (const ChunkPlace& place : section.chunks) {
      for (const std::uint64_t value : {place.file, place.offset, place.bytes, place.checksum}) body.u64(value);
    }
  }
  Writer head;
  head.raw(kCheckpointMagic.data(), kCheckpointMagic.size());
  head.u32(kCheckpointVersion);
  head.u64(body.size());
  head.u64(body_checksum(body.bytes(), kCheckpointVersion));
  head.raw(body.bytes().data(), body.size());
  return head.take();
}

std::uint64_t head_bytes_in_frame(std::string_view frame, std::uint64_t file_bytes) noexcept {
  if (frame.size() < kFrameBytes || !frame.starts_with(kCheckpointMagic)) return 0;
  Reader in(frame.substr(kCheckpointMagic.size() + 4));
  const std::uint64_t body_bytes = in.u64();
  return body_bytes > file_bytes - kFrameBytes ? file_bytes : kFrameBytes + body_bytes;
}

ParsedHead parse_head(std::string_view bytes, std::uint64_t file_bytes) {
  ParsedHead head;
  const std::string_view body = parse_frame(bytes, file_bytes, head);
  if (!head.damage.empty()) {
    head.version = 0;
    return head;
  }
  if (head.version > kCheckpointVersion) return head;
  try {
    Reader in(body);
    head.table.number = in.u64();
    head.table.written_ns = in.i64();
    head.version == 1 ? parse_sections_1(in, head) : parse_sections_2(in, head);
    if (!in.at_end()) {
      head.damage = "head: longer than its sections";
    } else {
      check_layout(file_bytes, head);
    }
  } catch (const Error&) {
    head.damage = "head: entries are cut short";
  }
  return head;
}

ParsedHead parse_checkpoint(std::string_view bytes) {
  ParsedHead head = parse_head(bytes, bytes.size());
  if (!head.damage.empty() || head.version > kCheckpointVersion) return head;
  for (const SectionTable& section : head.table.sections) {
    for (const ChunkPlace& place : section.chunks) {
      if (place.file != head.table.number) continue;
      const auto chunk = bytes.substr(static_cast<std::size_t>(place.offset), static_cast<std::size_t>(place.bytes));
      if (chunk_checksum(chunk) == place.checksum) continue;
      head.damage = fmt::format("section '{}': checksum differs", section.name);
      return head;
    }
  }
  if (!bytes.ends_with(kCheckpointEnd)) head.damage = "end mark differs";
  return head;
}

}  // namespace weir::state
