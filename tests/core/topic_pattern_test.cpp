#include "core/topic_pattern.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace weir {
namespace {

struct Match {
  const char* pattern;
  const char* topic;
  bool matches;
};

TEST(TopicPattern, MatchesAsTheStandardSays) {
  for (const auto& [pattern, topic, matches] : std::vector<Match>{
           {"a/b", "a/b", true},
           {"a/b", "a/c", false},
           {"a/b", "a", false},
           {"a/b", "a/b/", false},
           {"a/+", "a/b", true},
           {"a/+", "a/", true},
           {"a/+", "a", false},
           {"a/+/c", "a//c", true},
           {"a/{k}/c", "a/b/c", true},
           {"a/{k}", "a/b/c", false},
           {"a/#", "a", true},
           {"a/#", "a/", true},
           {"a/#", "a/b/c", true},
           {"a/#", "ab", false},
           {"#", "a", true},
           {"#", "/", true},
           {"/#", "/", true},
           {"/+", "/a", true},
           {"+", "/a", false},
           {"+/+", "/a", true},
           {"#", "", false},
           {"#", "$SYS/uptime", false},
           {"+/uptime", "$SYS/uptime", false},
           {"{k}/uptime", "$SYS/uptime", false},
           {"$SYS/#", "$SYS/uptime", true},
           {"a/+", "a/$x", true},
           {"$share/g/a/+", "a/b", true},
           {"$share/g/a/+", "$share/g/a/b", false},
           {"$share/g/#", "$SYS/x", false},
           {"$share/g//a", "/a", true},
       }) {
    EXPECT_EQ(TopicPattern(pattern).matches(topic), matches) << pattern << " and " << topic;
  }
}

TEST(TopicPattern, ASharedFilterHasAGroup) {
  EXPECT_EQ(share_group("$share/g/a/b"), "g");
  EXPECT_EQ(without_share("$share/g/a/b"), "a/b");
  EXPECT_EQ(without_share("$share/g//b"), "/b");
  EXPECT_EQ(share_group("$shared/g/a"), "");
  EXPECT_EQ(without_share("$shared/g/a"), "$shared/g/a");
  EXPECT_EQ(without_share("a/$share/b"), "a/$share/b");
}

// Every pattern and every topic of up to three levels out of a few: two patterns overlap where a topic matches both.
TEST(TopicPattern, TwoOverlapWhereATopicMatchesBoth) {
  std::vector<std::string> topics;
  std::vector<std::string> patterns;
  const std::function<void(std::vector<std::string>&, const std::vector<std::string>&, const std::string&, int)> grow =
      [&](std::vector<std::string>& all, const std::vector<std::string>& words, const std::string& begin, int left) {
        for (const std::string& word : words) {
          const std::string text = begin + word;
          if (!text.empty()) {
            all.push_back(text);
          }
          if (left > 1 && word != "#") {
            grow(all, words, text + "/", left - 1);
          }
        }
      };
  grow(topics, {"a", "b", "", "$s"}, "", 4);
  grow(patterns, {"a", "b", "", "$s", "+", "{k}", "#"}, "", 3);
  std::vector<TopicPattern> read(patterns.begin(), patterns.end());
  std::vector<std::vector<bool>> matched;  // [pattern][topic]
  for (const TopicPattern& pattern : read) {
    std::vector<bool>& of = matched.emplace_back();
    for (const std::string& topic : topics) {
      of.push_back(pattern.matches(topic));
    }
  }
  for (std::size_t a = 0; a < read.size(); ++a) {
    for (std::size_t b = 0; b < read.size(); ++b) {
      bool both = false;
      for (std::size_t i = 0; i < topics.size() && !both; ++i) {
        both = matched[a][i] && matched[b][i];
      }
      ASSERT_EQ(read[a].overlaps(read[b]), both) << patterns[a] << " and " << patterns[b];
    }
  }
}

}  // namespace
}  // namespace weir
