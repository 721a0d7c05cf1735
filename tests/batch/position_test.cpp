// How the positions of messages are put together.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "batch/message.hpp"

namespace weir::batch {
namespace {

SourcePosition after(const std::vector<std::string>& details, SourcePosition position = {}) {
  for (const std::string& detail : details) {
    position.advance(position.offset + 1, detail);
  }
  return position;
}

TEST(SourcePosition, EmptyDetailLeavesPlusAppendsAnyOtherReplaces) {
  EXPECT_EQ(after({"=a", "", "+b", "", "+c", ""}), (SourcePosition{6, "=abc"}));
  EXPECT_EQ(after({"=a", "+b", "=d", "+e"}), (SourcePosition{4, "=de"}));
  EXPECT_EQ(after({"", "3:4"}), (SourcePosition{2, "3:4"}));
}

TEST(SourcePosition, MessagesMayBePutTogetherBeforeTheyAreApplied) {
  const std::vector<std::string> details{"+a", "", "+b", "=c", "", "+d", "+e", "=f", "+g"};
  for (std::size_t first = 0; first <= details.size(); ++first) {
    for (std::size_t last = first; last <= details.size(); ++last) {
      const auto at = [&](std::size_t index) { return details.begin() + static_cast<std::ptrdiff_t>(index); };
      const SourcePosition together = after({at(first), at(last)});
      SourcePosition position = after({at(0), at(first)}, {0, "=z"});
      position.advance(last, together.detail);
      EXPECT_EQ(position.detail, after({at(0), at(last)}, {0, "=z"}).detail) << first << " " << last;
    }
  }
}

}  // namespace
}  // namespace weir::batch
