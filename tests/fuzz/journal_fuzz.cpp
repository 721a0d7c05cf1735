// Any bytes as a journal segment: no crash, no over-read, no endless loop, numbers that only ascend. The bytes are
// tried as they are, and as the frames, or as a block, of a segment whose checksums are right, since no fuzzer guesses
// one: the first byte says which.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "journal/frame_reading.hpp"
#include "journal/segment_format.hpp"
#include "journal/segment_reader.hpp"

namespace {

using namespace weir::journal;

constexpr std::uint64_t kSalt = 42;

void read_segment(std::string_view bytes) {
  // A file that lies in memory only.
  const int file = ::memfd_create("weir-fuzz", MFD_CLOEXEC);
  if (file < 0 || ::write(file, bytes.data(), bytes.size()) != static_cast<::ssize_t>(bytes.size())) std::abort();
  try {
    SegmentReader reader("/proc/self/fd/" + std::to_string(file));
    std::uint64_t next = reader.header().first_number;
    std::uint64_t read = 0;
    for (auto step = reader.next(); step != SegmentReader::Step::end; step = reader.next()) {
      if (step == SegmentReader::Step::record) {
        const Record& record = reader.record();
        if (record.number != next++) std::abort();
        // Every byte that a record shows can be read.
        for (const std::string_view text :
             {record.message.payload, record.message.topic, record.message.position_detail, record.error}) {
          read += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), 'x'));
        }
      } else {
        const SegmentReader::Fault& fault = reader.fault();
        if (fault.first_missing != next || fault.next_number < next || reader.describe_fault().empty()) std::abort();
        next = fault.next_number;
      }
    }
    if (reader.next() != SegmentReader::Step::end || read > bytes.size() << 20U) std::abort();
  } catch (const weir::Error&) {
    // Refused, in one line.
  }
  ::close(file);
}

std::string header_of(bool compressed, std::uint64_t complete_bytes, std::uint64_t end_number) {
  SegmentHeader header;
  std::copy(kSegmentMagic.begin(), kSegmentMagic.end(), header.magic.begin());
  header.version = kSegmentVersion;
  header.compressed = compressed ? 1 : 0;
  header.salt = kSalt;
  header.complete_bytes = complete_bytes;
  header.end_number = end_number;
  header.seal_identity();
  header.seal_completion();
  return {reinterpret_cast<const char*>(&header), sizeof header};
}

/// Sets the checksums of what looks like frames, one behind the other, as far as their lengths lead.
void make_frames_valid(std::string& frames) {
  for (std::size_t at = 0; frames.size() - at >= kFrameHeaderBytes;) {
    frames[at + 8] = 'W';
    frames[at + 9] = 'J';
    frames[at + 10] = static_cast<char>(static_cast<unsigned char>(frames[at + 10]) % 6);
    frames[at + 11] = static_cast<char>(frames[at + 11] & 7);
    std::fill_n(frames.begin() + static_cast<std::ptrdiff_t>(at + 28), 4, '\0');
    const std::uint64_t bytes = size_of_frame(frame_header(frames.data() + at));
    if (bytes > frames.size() - at) return;
    const std::uint64_t checksum = XXH3_64bits_withSeed(frames.data() + at + 8, bytes - 8, kSalt);
    std::memcpy(frames.data() + at, &checksum, sizeof checksum);
    at += bytes;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned how = data[0];
  std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if (how % 4 == 0) {
    read_segment(bytes);
    return 0;
  }
  if ((how & 4U) != 0) make_frames_valid(bytes);
  if (how % 4 == 1) {
    read_segment(header_of(false, 0, 0) + bytes);
  } else if (how % 4 == 2) {
    read_segment(header_of(false, kSegmentHeaderBytes + bytes.size(), bytes.size() / kFrameHeaderBytes) + bytes);
  } else {
    std::string block = compress_block(bytes, how % 16, how % 16 + 3, kSalt);
    if ((how & 8U) != 0) block += compress_block(bytes, how % 16 + 3, how % 16 + 4, kSalt) + bytes;
    read_segment(header_of(true, kSegmentHeaderBytes + block.size(), 8) + block);
  }
  return 0;
}
