#include "decode/key_cache.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <string>

namespace weir::decode {
namespace {

/// The text with the readable bytes behind it that the cache asks for, and something other than zeros in them.
class Padded {
 public:
  explicit Padded(const std::string& text) : size_(text.size()), bytes_(text + "#######") {}
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::size_t size_;
  std::string bytes_;
};

TEST(KeyCache, FindsWhatWasStoredAtEverySize) {
  KeyCache cache;
  for (std::size_t size = 1; size <= KeyCache::kMaxBytes; ++size) {
    const Padded text(std::string(size, 'k'));
    cache.insert(text.view(), cache.prepare(text.view()), static_cast<std::uint32_t>(size), size);
    EXPECT_EQ(cache.find(text.view(), cache.prepare(text.view())), static_cast<std::uint32_t>(size));
  }
}

TEST(KeyCache, EmptyAndLongTextsAreNotHeld) {
  KeyCache cache;
  for (const std::size_t size : {std::size_t{0}, KeyCache::kMaxBytes + 1, std::size_t{1000}}) {
    const Padded text(std::string(size, 'k'));
    cache.insert(text.view(), cache.prepare(text.view()), 7, 1);
    EXPECT_FALSE(cache.find(text.view(), cache.prepare(text.view())));
  }
}

TEST(KeyCache, BytesAfterTheTextDoNotMatter) {
  KeyCache cache;
  const std::string one = "abcXXXXXXXX";
  const std::string other = "abcYYYYYYYY";
  const std::string_view a = std::string_view(one).substr(0, 3);
  const std::string_view b = std::string_view(other).substr(0, 3);
  cache.insert(a, cache.prepare(a), 5, 1);
  EXPECT_EQ(cache.find(b, cache.prepare(b)), 5U);
}

TEST(KeyCache, NeverAnswersWithTheIdOfAnotherText) {
  // Far more texts than the first table holds, so that they displace each other and the table grows.
  KeyCache cache;
  std::map<std::string, std::uint32_t> ids;
  std::mt19937 random(7);
  std::size_t hits = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string key = std::to_string(random() % 20'000) + ",x," + std::to_string(random() % 3);
    const auto id = ids.try_emplace(key, static_cast<std::uint32_t>(ids.size())).first->second;
    const Padded text(key);
    const std::uint64_t hash = cache.prepare(text.view());
    if (const auto found = cache.find(text.view(), hash)) {
      ASSERT_EQ(*found, id) << key;
      ++hits;
    } else {
      cache.insert(text.view(), hash, id, ids.size());
    }
  }
  EXPECT_GT(hits, 50'000U);
}

}  // namespace
}  // namespace weir::decode
