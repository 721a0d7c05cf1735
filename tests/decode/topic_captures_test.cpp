#include "decode/topic_captures.hpp"

#include <gtest/gtest.h>

namespace weir::decode {
namespace {

std::vector<std::string> match(const std::vector<std::string>& filters, std::string_view topic) {
  const std::vector<spec::Key> keys{{"line", ""}, {"machine", ""}, {"id", "/meta/id"}};
  std::vector<Token> values(keys.size());
  TopicCaptures(filters, keys).match(topic, values);
  std::vector<std::string> texts;
  for (const Token& value : values) {
    texts.push_back(value.missing() ? "-" : std::string(value.text));
  }
  return texts;
}

using Texts = std::vector<std::string>;

TEST(TopicCaptures, NamedLevelsAreCaptured) {
  EXPECT_EQ(match({"plant/{line}/{machine}/state"}, "plant/a/m1/state"), (Texts{"a", "m1", "-"}));
}

TEST(TopicCaptures, CapturesGoByNameNotByOrder) {
  EXPECT_EQ(match({"{machine}/{line}"}, "m1/a"), (Texts{"a", "m1", "-"}));
}

TEST(TopicCaptures, TopicOfAnotherShapeCapturesNothing) {
  for (const char* const topic : {"plant/a/m1", "plant/a/m1/state/x", "other/a/m1/state", "", "/", "plant//"}) {
    EXPECT_EQ(match({"plant/{line}/{machine}/state"}, topic), (Texts{"-", "-", "-"})) << topic;
  }
}

TEST(TopicCaptures, EmptyLevelIsAnEmptyKey) {
  EXPECT_EQ(match({"plant/{line}/{machine}"}, "plant//m1"), (Texts{"", "m1", "-"}));
}

TEST(TopicCaptures, PlusMatchesOneLevel) {
  EXPECT_EQ(match({"+/{line}/+"}, "x/a/y"), (Texts{"a", "-", "-"}));
}

TEST(TopicCaptures, HashMatchesTheRestAndItsParent) {
  EXPECT_EQ(match({"plant/{line}/#"}, "plant/a/x/y/z"), (Texts{"a", "-", "-"}));
  EXPECT_EQ(match({"plant/{line}/#"}, "plant/a"), (Texts{"a", "-", "-"}));
  EXPECT_EQ(match({"plant/{line}/#"}, "plant"), (Texts{"-", "-", "-"}));
}

TEST(TopicCaptures, FirstFilterThatMatchesDecides) {
  EXPECT_EQ(match({"a/{machine}", "{line}/b"}, "a/b"), (Texts{"-", "b", "-"}));
  EXPECT_EQ(match({"{line}/b", "a/{machine}"}, "a/b"), (Texts{"a", "-", "-"}));
  EXPECT_EQ(match({"x/{machine}", "{line}/b"}, "a/b"), (Texts{"a", "-", "-"}));
}

TEST(TopicCaptures, SharedSubscriptionIsNotPartOfTheFilter) {
  EXPECT_EQ(match({"$share/gateways/plant/{line}"}, "plant/a"), (Texts{"a", "-", "-"}));
}

TEST(TopicCaptures, WildcardDoesNotMatchTheServersOwnTopics) {
  EXPECT_EQ(match({"{line}/{machine}"}, "$SYS/uptime"), (Texts{"-", "-", "-"}));
  EXPECT_EQ(match({"$SYS/{machine}"}, "$SYS/uptime"), (Texts{"-", "uptime", "-"}));
}

TEST(TopicCaptures, KeyWithAPathOfItsOwnIsNotCaptured) {
  EXPECT_EQ(match({"plant/{id}"}, "plant/7"), (Texts{"-", "-", "-"}));
}

}  // namespace
}  // namespace weir::decode
