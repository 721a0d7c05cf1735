#include "state/checkpoint_format.hpp"

#include <fmt/core.h>
#include <xxhash.h>

#include "core/error.hpp"
#include "state/serial.hpp"

namespace weir::state {
namespace {

// magic, version, bytes of the body, checksum of the body and of the version
constexpr std::size_t kFrameBytes = 8 + 4 + 8 + 8;

std::uint64_t checksum(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}
// The version seeds the checksum: a flipped bit in it is damage, not another version.
std::uint64_t body_checksum(std::string_view body, std::uint32_t version) {
  return XXH3_64bits_withSeed(body.data(), body.size(), version);
}

// The frame and the body, or a description of the damage in `parsed`.
std::string_view parse_frame(std::string_view bytes, ParsedCheckpoint& parsed) {
  if (bytes.size() < kFrameBytes) {
    parsed.damage = "cut short";
    return {};
  }
  if (!bytes.starts_with(kCheckpointMagic)) {
    parsed.damage = "not a checkpoint file";
    return {};
  }
  Reader in(bytes.substr(kCheckpointMagic.size()));
  parsed.version = in.u32();
  const std::uint64_t body_bytes = in.u64();
  const std::uint64_t expected = in.u64();
  if (body_bytes > in.remaining()) {
    parsed.damage = "cut short";
    return {};
  }
  const std::string_view body = bytes.substr(kFrameBytes, static_cast<std::size_t>(body_bytes));
  if (body_checksum(body, parsed.version) != expected) parsed.damage = "head: checksum differs";
  return body;
}

void parse_sections(std::string_view body, std::string_view bytes, ParsedCheckpoint& parsed) {
  Reader in(body);
  parsed.number = in.u64();
  parsed.written_ns = in.i64();
  constexpr std::size_t kEntryBytes = 8 + 8 + 8;  // of a section with an empty name
  const std::uint64_t count = in.count(kEntryBytes);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view name = in.text();
    const std::uint64_t length = in.u64();
    const std::uint64_t expected = in.u64();
    if (length > bytes.size()) {
      parsed.damage = fmt::format("section '{}': cut short", name);
      return;
    }
    const std::string_view section = bytes.substr(0, static_cast<std::size_t>(length));
    if (checksum(section) != expected) {
      parsed.damage = fmt::format("section '{}': checksum differs", name);
      return;
    }
    parsed.sections.push_back({name, section});
    bytes.remove_prefix(section.size());
  }
  if (!in.at_end()) {
    parsed.damage = "head: longer than its sections";
  } else if (bytes != kCheckpointEnd) {
    parsed.damage = bytes.size() < kCheckpointEnd.size() ? "cut short" : "end mark differs";
  }
}

}  // namespace

std::string encode_checkpoint_head(std::uint64_t number, std::int64_t written_ns,
                                   const std::vector<Section>& sections) {
  Writer body;
  body.u64(number);
  body.i64(written_ns);
  body.u64(sections.size());
  for (const Section& section : sections) {
    body.text(section.name);
    body.u64(section.bytes.size());
    body.u64(checksum(section.bytes));
  }
  Writer head;
  head.raw(kCheckpointMagic.data(), kCheckpointMagic.size());
  head.u32(kCheckpointVersion);
  head.u64(body.size());
  head.u64(body_checksum(body.bytes(), kCheckpointVersion));
  head.raw(body.bytes().data(), body.size());
  return head.take();
}

ParsedCheckpoint parse_checkpoint(std::string_view bytes) {
  ParsedCheckpoint parsed;
  const std::string_view body = parse_frame(bytes, parsed);
  if (!parsed.damage.empty()) {
    parsed.version = 0;
    return parsed;
  }
  if (parsed.version > kCheckpointVersion) return parsed;
  try {
    parse_sections(body, bytes.substr(kFrameBytes + body.size()), parsed);
  } catch (const Error&) {
    parsed.damage = "head: entries are cut short";
  }
  if (!parsed.damage.empty()) parsed.sections.clear();
  return parsed;
}

}  // namespace weir::state
