#include "journal/mirrored_memory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <limits>
#include <string_view>

#include "core/error.hpp"

namespace weir::journal {
namespace {

TEST(MirroredMemory, SizeIsWholePages) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  EXPECT_EQ(MirroredMemory(0).size(), page);
  EXPECT_EQ(MirroredMemory(1).size(), page);
  EXPECT_EQ(MirroredMemory(page).size(), page);
  EXPECT_EQ(MirroredMemory(page + 1).size(), 2 * page);
}

TEST(MirroredMemory, TextAcrossTheEndContinuesAtTheBeginning) {
  const MirroredMemory memory(1);
  constexpr std::string_view text = "across the end";
  std::memcpy(memory.data() + memory.size() - 6, text.data(), text.size());
  EXPECT_EQ(std::memcmp(memory.data(), " the end", 8), 0);
  EXPECT_EQ(std::memcmp(memory.data() + memory.size(), " the end", 8), 0);
}

TEST(MirroredMemory, MoreThanTheSystemHasIsAnErrorWithTheSize) {
  try {
    const MirroredMemory memory(std::uint64_t{1} << 62U);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string_view(error.what()).find("4611686018427387904 bytes"), std::string_view::npos);
    EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
  }
}

}  // namespace
}  // namespace weir::journal
