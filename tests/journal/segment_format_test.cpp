// Blocks of compressed segments that are made to take the memory.
#include "journal/segment_format.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "journal/frame.hpp"

namespace weir::journal {
namespace {

BlockHeader header_of(const std::string& block) {
  BlockHeader header;
  std::memcpy(&header, block.data(), sizeof header);
  return header;
}

bool is_plausible(std::uint64_t plain_bytes, std::uint64_t records) {
  const std::string block = compress_block(std::string(plain_bytes, '\0'), 10, 10 + records, 1);
  EXPECT_LT(block.size(), 100'000U);
  return plausible(header_of(block), block.size());
}

TEST(SegmentFormat, ABlockThatExpandsToMoreThanAnyWriterPutsIntoOneIsDamage) {
  EXPECT_TRUE(is_plausible(kBlockBytes, 2));
  EXPECT_FALSE(is_plausible(kBlockBytes + 8, 2));
  EXPECT_TRUE(is_plausible(16 * kBlockBytes, 1)) << "one large message";
  BlockHeader bomb = header_of(compress_block(std::string(kBlockBytes, '\0'), 0, 1, 1));
  bomb.plain_bytes = kLargestFrame + 8;
  EXPECT_FALSE(plausible(bomb, kBlockBytes));
}

}  // namespace
}  // namespace weir::journal
