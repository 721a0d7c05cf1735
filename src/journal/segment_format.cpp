#include "journal/segment_format.hpp"

#include <fmt/format.h>
#include <xxhash.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <random>

#include "core/error.hpp"
#include "core/time_text.hpp"
#include "journal/frame.hpp"

namespace weir::journal {
namespace {

constexpr std::string_view kPrefix = "journal-";
constexpr std::string_view kSuffix = ".weir";
constexpr std::size_t kDigits = 20;                        // of 2^64: names sort as numbers
constexpr std::uint64_t kBlockMagic = 0x4b4c42524e524a57;  // "WJRNRBLK"
// Below it, zstd gains nothing worth its time; above, it costs more than a disk's write.
constexpr int kCompressionLevel = 3;

std::uint64_t identity_checksum(const SegmentHeader& header) noexcept {
  return XXH3_64bits_withSeed(&header, offsetof(SegmentHeader, checksum), header.version);
}

std::uint64_t completion_checksum(const SegmentHeader& header) noexcept {
  return XXH3_64bits_withSeed(&header.complete_bytes, 2 * sizeof header.complete_bytes, header.salt);
}

std::uint64_t checksum_of_follower(const SegmentHeader& header) {
  return XXH3_64bits_withSeed(&header.end_number, sizeof header.end_number, header.salt + 1);
}

}  // namespace

bool SegmentHeader::complete() const noexcept {
  return complete_bytes >= kSegmentHeaderBytes && completion_checksum(*this) == complete_checksum;
}

bool SegmentHeader::followed() const noexcept {
  return complete() && followed_checksum == checksum_of_follower(*this);
}

void SegmentHeader::seal_identity() noexcept {
  checksum = identity_checksum(*this);
}

void SegmentHeader::seal_completion() noexcept {
  complete_checksum = completion_checksum(*this);
}

void SegmentHeader::seal_followed() noexcept {
  followed_checksum = checksum_of_follower(*this);
}

SegmentHeader new_segment_header() {
  SegmentHeader header;
  std::copy(kSegmentMagic.begin(), kSegmentMagic.end(), header.magic.begin());
  header.version = kSegmentVersion;
  std::random_device random;
  header.salt = std::uint64_t{random()} << 32U | random();
  header.boot_id = current_boot_id();
  header.created_ns = wall_clock_ns();
  return header;
}

std::string header_damage(const SegmentHeader& header) {
  if (std::string_view(header.magic.data(), header.magic.size()) != kSegmentMagic) {
    return "it does not begin as a journal segment";
  }
  if (header.version > kSegmentVersion) {
    return fmt::format("it was written by a newer version of Weir: format {}, this program reads {}", header.version,
                       kSegmentVersion);
  }
  if (header.checksum != identity_checksum(header) || header.compressed > 1) {
    return "the checksum of its header is wrong";
  }
  return {};
}

std::array<std::uint8_t, 16> current_boot_id() {
  std::array<std::uint8_t, 16> id{};
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::size_t digits = 0;
  for (char c = 0; digits < 2 * id.size() && in.get(c);) {
    unsigned digit = 0;
    if (std::from_chars(&c, &c + 1, digit, 16).ptr == &c) {
      continue;  // a hyphen
    }
    id[digits / 2] = static_cast<std::uint8_t>(unsigned{id[digits / 2]} * 16 + digit);
    ++digits;
  }
  if (digits != 2 * id.size()) {
    id.fill(0);
  }
  return id;
}

std::string compress_block(std::string_view frames, std::uint64_t first_number, std::uint64_t end_number,
                           std::uint64_t salt) {
  std::string block(kBlockHeaderBytes + aligned(ZSTD_compressBound(frames.size())), '\0');
  const std::size_t bytes = ZSTD_compress(block.data() + kBlockHeaderBytes, block.size() - kBlockHeaderBytes,
                                          frames.data(), frames.size(), kCompressionLevel);
  if (ZSTD_isError(bytes) != 0) {
    throw Error(fmt::format("cannot compress the journal: {}", ZSTD_getErrorName(bytes)));
  }
  BlockHeader header;
  header.magic = kBlockMagic;
  header.first_number = first_number;
  header.end_number = end_number;
  header.plain_bytes = frames.size();
  header.compressed_bytes = bytes;
  std::fill(block.begin() + static_cast<std::ptrdiff_t>(kBlockHeaderBytes + bytes), block.end(), '\0');
  block.resize(kBlockHeaderBytes + aligned(bytes));
  std::memcpy(block.data(), &header, sizeof header);
  header.checksum = XXH3_64bits_withSeed(block.data() + sizeof header.checksum,
                                         kBlockHeaderBytes - sizeof header.checksum + bytes, salt);
  std::memcpy(block.data(), &header.checksum, sizeof header.checksum);
  return block;
}

bool plausible(const BlockHeader& header, std::uint64_t bytes_left) noexcept {
  return header.magic == kBlockMagic &&
         header.compressed_bytes <= bytes_left - std::min(bytes_left, kBlockHeaderBytes) &&
         header.end_number > header.first_number &&
         // More than one frame never make a longer block: what expands to more is damage, or meant to take the memory.
         header.plain_bytes <= (header.end_number - header.first_number == 1 ? kLargestFrame : kBlockBytes) &&
         header.end_number - header.first_number <= header.plain_bytes / kFrameHeaderBytes;
}

bool expand_block(std::string_view block, std::uint64_t salt, std::vector<char>& frames) {
  BlockHeader header;
  std::memcpy(&header, block.data(), sizeof header);
  if (XXH3_64bits_withSeed(block.data() + sizeof header.checksum,
                           kBlockHeaderBytes - sizeof header.checksum + header.compressed_bytes,
                           salt) != header.checksum) {
    return false;
  }
  const char* const compressed = block.data() + kBlockHeaderBytes;
  // The frame of zstd says the size too: memory is not taken on the word of one number.
  if (ZSTD_getFrameContentSize(compressed, header.compressed_bytes) != header.plain_bytes) {
    return false;
  }
  frames.resize(header.plain_bytes);
  return ZSTD_decompress(frames.data(), frames.size(), compressed, header.compressed_bytes) == header.plain_bytes;
}

std::string segment_path(const std::string& directory, std::uint64_t first_number) {
  return fmt::format("{}/{}{:020}{}", directory, kPrefix, first_number, kSuffix);
}

bool segment_number(std::string_view file_name, std::uint64_t& number) noexcept {
  if (file_name.size() != kPrefix.size() + kDigits + kSuffix.size() || !file_name.starts_with(kPrefix) ||
      !file_name.ends_with(kSuffix)) {
    return false;
  }
  const std::string_view digits = file_name.substr(kPrefix.size(), kDigits);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size();
}

SegmentFiles find_segments(FileSystem& file_system, const std::string& directory) {
  SegmentFiles files;
  for (const std::string& name : file_system.names_in(directory)) {
    SegmentName segment;
    if (segment_number(name, segment.first_number)) {
      segment.path = fmt::format("{}/{}", directory, name);
      files.segments.push_back(std::move(segment));
    } else if (name.starts_with(kPrefix) && name.ends_with(kUnfinishedSuffix)) {
      files.unfinished.push_back(fmt::format("{}/{}", directory, name));
    }
  }
  std::sort(files.segments.begin(), files.segments.end(),
            [](const SegmentName& a, const SegmentName& b) { return a.first_number < b.first_number; });
  return files;
}

}  // namespace weir::journal
