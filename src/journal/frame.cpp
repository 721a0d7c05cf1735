#include "journal/frame.hpp"

#include <atomic>
#include <cstring>

#include "journal/frame_reading.hpp"

namespace weir::journal {
namespace {

static_assert(static_cast<int>(Record::Kind::message) == 0 && static_cast<int>(Record::Kind::finished) == 1 &&
                  static_cast<int>(Record::Kind::failed) == 2 && static_cast<int>(Record::Kind::tick) == 3 &&
                  static_cast<int>(Record::Kind::started) == 4,
              "the file's numbers of the kinds");

std::string_view first_text(const Record& record) noexcept {
  return record.kind == Record::Kind::message ? record.message.payload : record.error;
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
  header.magic = frame_format::kMagic;
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
    header.refused = message.refused ? static_cast<std::uint32_t>(*message.refused) + 1 : 0;
    header.flags = static_cast<std::uint8_t>(
        (message.delivery == batch::Delivery::shed ? frame_format::kSheddable : 0) |
        (message.duplicate ? frame_format::kDuplicate : 0) | (message.starts_file ? frame_format::kStartsFile : 0));
  }
  const std::uint64_t bytes = size_of_frame(header);
  // The padding lies in the last 8 bytes. Of a header alone these are its own and are written again.
  std::memset(at + bytes - kFrameAlignment, 0, kFrameAlignment);
  std::memcpy(at + sizeof header.checksum, reinterpret_cast<const char*>(&header) + sizeof header.checksum,
              sizeof header - sizeof header.checksum);
  put(put(put(at + sizeof header, first), topic), detail);
  const std::uint64_t checksum = frame_checksum(at, bytes, salt);
  std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(at)).store(checksum, std::memory_order_release);
}

}  // namespace weir::journal
