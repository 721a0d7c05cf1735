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
#include "core/file_system.hpp"
#include "core/posix_file.hpp"
#include "journal/frame_reading.hpp"
#include "journal/segment_format.hpp"
#include "journal/segment_reader.hpp"

namespace {

using namespace weir::journal;

constexpr std::uint64_t kSalt = 42;

/// A file that lies in memory only, under any name.
class FileInMemory final : public weir::FileSystem {
 public:
  explicit FileInMemory(std::string_view bytes) : file_(::memfd_create("weir-fuzz", MFD_CLOEXEC)) {
    if (!file_ || ::write(file_.get(), bytes.data(), bytes.size()) != static_cast<::ssize_t>(bytes.size())) {
      std::abort();
    }
  }
  weir::FileDescriptor open(const std::string& path, int, ::mode_t) override { return duplicate(file_, path); }

 private:
  weir::FileDescriptor file_;
};

/// How many records it has.
std::uint64_t read_segment(std::string_view bytes) {
  FileInMemory memory(bytes);
  std::uint64_t records = 0;
  try {
    SegmentReader reader("segment", memory);
    std::uint64_t next = reader.header().first_number;
    std::uint64_t read = 0;
    for (auto step = reader.next(); step != SegmentReader::Step::end; step = reader.next()) {
      if (step == SegmentReader::Step::record) {
        const Record& record = reader.record();
        if (record.number != next++) std::abort();
        ++records;
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
  return records;
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

/// @brief Ends the fuzzer when it no longer gets to the records of a good segment.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  std::string frames(2 * kFrameHeaderBytes, '\0');
  frames[kFrameHeaderBytes + offsetof(FrameHeader, number)] = 1;
  make_frames_valid(frames);
  const std::string block = compress_block(frames, 0, 2, kSalt);
  if (read_segment(header_of(false, 0, 0) + frames) != 2 ||
      read_segment(header_of(true, kSegmentHeaderBytes + block.size(), 2) + block) != 2) {
    std::abort();
  }
  return 0;
}

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
