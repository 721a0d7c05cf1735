#include "journal/frame.hpp"

// The hash of a small frame is a few nanoseconds, as much as the call of it would be.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <atomic>
#include <bit>
#include <cstring>

namespace weir::journal {
namespace {

static_assert(std::endian::native == std::endian::little, "frames are stored as they lie in memory");
static_assert(static_cast<int>(Record::Kind::message) == 0 && static_cast<int>(Record::Kind::finished) == 1 &&
                  static_cast<int>(Record::Kind::failed) == 2 && static_cast<int>(Record::Kind::tick) == 3 &&
                  static_cast<int>(Record::Kind::started) == 4,
              "the file's numbers of the kinds");

constexpr std::uint16_t kMagic = 0x4a57;  // "WJ"
constexpr std::uint8_t kLastKind = 4;
constexpr std::uint8_t kSheddable = 1;
constexpr std::uint8_t kDuplicate = 2;
constexpr std::uint8_t kStartsFile = 4;
constexpr std::uint8_t kAllFlags = 7;

std::uint64_t size_of(const FrameHeader& header) noexcept {
  return aligned(kFrameHeaderBytes + std::uint64_t{header.payload_bytes} + header.topic_bytes + header.detail_bytes);
}

std::string_view first_text(const Record& record) noexcept {
  return record.kind == Record::Kind::message ? record.message.payload : record.error;
}

std::uint64_t hash(const char* at, std::uint64_t bytes, std::uint64_t salt) noexcept {
  return XXH3_64bits_withSeed(at + sizeof(FrameHeader::checksum), bytes - sizeof(FrameHeader::checksum), salt);
}

/// The header where it lies: a copy on the stack would cost as much as the hash.
const FrameHeader& header_at(const char* at) noexcept {
  return *reinterpret_cast<const FrameHeader*>(at);
}

char* put(char* to, std::string_view text) noexcept {
  if (!text.empty()) {
    std::memcpy(to, text.data(), text.size());
  }
  return to + text.size();
}

}  // namespace

std::uint64_t frame_bytes(const Record& record) noexcept {
  std::uint64_t texts = first_text(record).size();
  if (record.kind == Record::Kind::message) {
    texts += record.message.topic.size() + record.message.position_detail.size();
  }
  return aligned(kFrameHeaderBytes + texts);
}

void write_frame(char* at, const Record& record, std::uint64_t salt) noexcept {
  const std::string_view first = first_text(record);
  FrameHeader header;
  header.magic = kMagic;
  header.kind = static_cast<std::uint8_t>(record.kind);
  header.source = record.message.source;
  header.payload_bytes = static_cast<std::uint32_t>(first.size());
  header.number = record.number;
  header.arrival_ns = record.message.arrival_ns;
  header.offset_or_shed = record.shed;
  std::string_view topic;
  std::string_view detail;
  if (record.kind == Record::Kind::message) {
    const batch::MessageView& message = record.message;
    topic = message.topic;
    detail = message.position_detail;
    header.topic_bytes = static_cast<std::uint32_t>(topic.size());
    header.detail_bytes = static_cast<std::uint32_t>(detail.size());
    header.offset_or_shed = message.position_offset;
    header.flags =
        static_cast<std::uint8_t>((message.delivery == batch::Delivery::shed ? kSheddable : 0) |
                                  (message.duplicate ? kDuplicate : 0) | (message.starts_file ? kStartsFile : 0));
  }
  const std::uint64_t bytes = size_of(header);
  // The padding lies in the last 8 bytes. Of a header alone these are its own and are written again.
  std::memset(at + bytes - kFrameAlignment, 0, kFrameAlignment);
  std::memcpy(at + sizeof header.checksum, reinterpret_cast<const char*>(&header) + sizeof header.checksum,
              sizeof header - sizeof header.checksum);
  put(put(put(at + sizeof header, first), topic), detail);
  const std::uint64_t checksum = hash(at, bytes, salt);
  std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(at)).store(checksum, std::memory_order_release);
}

FrameCheck check_frame(const char* at, std::uint64_t available, std::uint64_t salt) noexcept {
  if (available < kFrameHeaderBytes) {
    return {FrameState::longer, kFrameHeaderBytes};
  }
  const FrameHeader& header = header_at(at);
  if (header.magic != kMagic || header.kind > kLastKind || header.flags > kAllFlags || header.reserved != 0) {
    return {};
  }
  const std::uint64_t bytes = size_of(header);
  if (bytes > available) {
    return {FrameState::longer, bytes};
  }
  return {hash(at, bytes, salt) == header.checksum ? FrameState::valid : FrameState::invalid, bytes};
}

void read_frame(const char* at, Record& record) noexcept {
  const FrameHeader& header = header_at(at);
  const char* const first = at + sizeof header;
  const char* const second = first + header.payload_bytes;
  const bool is_message = header.kind == 0;
  // Every member is set, which costs less than to clear the record first.
  record.kind = static_cast<Record::Kind>(header.kind);
  record.number = header.number;
  record.error = {first, is_message ? 0 : header.payload_bytes};
  record.shed = is_message ? 0 : header.offset_or_shed;
  batch::MessageView& message = record.message;
  message.payload = {first, is_message ? header.payload_bytes : 0};
  message.topic = {second, header.topic_bytes};
  message.arrival_ns = header.arrival_ns;
  message.source = header.source;
  message.delivery = (header.flags & kSheddable) != 0 ? batch::Delivery::shed : batch::Delivery::hold_back;
  message.duplicate = (header.flags & kDuplicate) != 0;
  message.starts_file = (header.flags & kStartsFile) != 0;
  message.position_offset = is_message ? header.offset_or_shed : 0;
  message.position_detail = {second + header.topic_bytes, header.detail_bytes};
}

std::uint64_t size_of_frame(const char* at) noexcept {
  return size_of(header_at(at));
}

}  // namespace weir::journal
