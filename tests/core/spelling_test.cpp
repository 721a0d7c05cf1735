#include "core/spelling.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace weir {
namespace {

constexpr std::string_view kKeys[] = {"window", "slide", "where", "select", "having", "group_by", "emit_empty"};

TEST(Spelling, Nearest_OneEditIsFound) {
  EXPECT_EQ(nearest_spelling("windw", kKeys), "window");
  EXPECT_EQ(nearest_spelling("sllide", kKeys), "slide");
  EXPECT_EQ(nearest_spelling("havimg", kKeys), "having");
}

TEST(Spelling, Nearest_SwappedNeighboursAreOneEdit) {
  constexpr std::string_view one[] = {"ab"};
  EXPECT_EQ(nearest_spelling("ba", one), "ab");
  EXPECT_EQ(nearest_spelling("slied", kKeys), "slide");
}

TEST(Spelling, Nearest_CaseIsNoDifference) {
  EXPECT_EQ(nearest_spelling("GROUP_BY", kKeys), "group_by");
}

TEST(Spelling, Nearest_ALongWordMayDifferInAThirdOfItsLetters) {
  constexpr std::string_view one[] = {"abcdefghi"};
  EXPECT_EQ(nearest_spelling("xyzdefghi", one), "abcdefghi");
  EXPECT_EQ(nearest_spelling("wxyzefghi", one), "");
}

TEST(Spelling, Nearest_AShortWordMayDifferInOneLetterOnly) {
  constexpr std::string_view one[] = {"ab"};
  EXPECT_EQ(nearest_spelling("ax", one), "ab");
  EXPECT_EQ(nearest_spelling("xy", one), "");
}

TEST(Spelling, Nearest_OfEquallyNearTheFirstWins) {
  constexpr std::string_view two[] = {"cat", "bat"};
  EXPECT_EQ(nearest_spelling("rat", two), "cat");
}

TEST(Spelling, Nearest_NothingIsNearToNothing) {
  EXPECT_EQ(nearest_spelling("", kKeys), "");
  EXPECT_EQ(nearest_spelling("window", {}), "");
}

TEST(Spelling, Suggest_NamesTheNearestOrAll) {
  constexpr std::string_view two[] = {"json", "csv"};
  EXPECT_EQ(suggest("jsn", two), "did you mean 'json'?");
  EXPECT_EQ(suggest("protobuf", two), "one of: json, csv");
  EXPECT_EQ(suggest("json", {}), "");
}

}  // namespace
}  // namespace weir
