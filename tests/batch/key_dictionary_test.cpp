#include "batch/key_dictionary.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace weir::batch {
namespace {

using Tuple = std::vector<std::string>;

std::optional<std::uint32_t> intern(KeyDictionary& keys, const Tuple& tuple) {
  const std::vector<std::string_view> views(tuple.begin(), tuple.end());
  return keys.intern(views);
}

Tuple tuple_of(const KeyDictionary& keys, std::uint32_t id) {
  Tuple out;
  for (std::size_t key = 0; key < keys.arity(); ++key) {
    out.emplace_back(keys.value(id, key));
  }
  return out;
}

TEST(KeyDictionary, Ids_AreDenseInOrderOfFirstSight) {
  KeyDictionary keys(1, 10);
  EXPECT_EQ(keys.size(), 0U);
  EXPECT_EQ(intern(keys, {"b"}), 0U);
  EXPECT_EQ(intern(keys, {"a"}), 1U);
  EXPECT_EQ(intern(keys, {"b"}), 0U);
  EXPECT_EQ(intern(keys, {"c"}), 2U);
  EXPECT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys.value(0, 0), "b");
}

TEST(KeyDictionary, Tuples_DifferWhereTheirTextsRunTogether) {
  KeyDictionary keys(2, 10);
  EXPECT_EQ(intern(keys, {"ab", "c"}), 0U);
  EXPECT_EQ(intern(keys, {"a", "bc"}), 1U);
  EXPECT_EQ(intern(keys, {"abc", ""}), 2U);
  EXPECT_EQ(intern(keys, {"", "abc"}), 3U);
  EXPECT_EQ(intern(keys, {"", ""}), 4U);
  EXPECT_EQ(tuple_of(keys, 2), (Tuple{"abc", ""}));
  EXPECT_EQ(tuple_of(keys, 4), (Tuple{"", ""}));
}

TEST(KeyDictionary, Text_MayHoldAnyByteAndAnyLength) {
  KeyDictionary keys(1, 10);
  const std::string zeros("a\0b", 3);
  const std::string long_text(1'000'000, 'x');
  EXPECT_EQ(intern(keys, {zeros}), 0U);
  EXPECT_EQ(intern(keys, {"a"}), 1U);
  EXPECT_EQ(intern(keys, {long_text}), 2U);
  EXPECT_EQ(intern(keys, {long_text + "y"}), 3U);
  EXPECT_EQ(keys.value(0, 0), zeros);
  EXPECT_EQ(keys.value(2, 0), long_text);
  EXPECT_EQ(keys.value(3, 0), long_text + "y");
}

TEST(KeyDictionary, NoKeys_HaveOneEmptyTuple) {
  KeyDictionary keys(0, 10);
  EXPECT_EQ(keys.intern({}), 0U);
  EXPECT_EQ(keys.intern({}), 0U);
  EXPECT_EQ(keys.size(), 1U);
}

TEST(KeyDictionary, Full_RefusesNewTuplesAndStillKnowsTheOld) {
  for (const std::uint32_t max_keys : {0U, 1U, 31U, 32U, 33U, 4096U, 4097U}) {
    KeyDictionary keys(1, max_keys);
    for (std::uint32_t i = 0; i < max_keys; ++i) {
      ASSERT_EQ(intern(keys, {std::to_string(i)}), i);
    }
    EXPECT_EQ(intern(keys, {"one more"}), std::nullopt) << max_keys;
    EXPECT_EQ(intern(keys, {"another"}), std::nullopt) << max_keys;
    EXPECT_EQ(keys.size(), max_keys);
    for (std::uint32_t i = 0; i < max_keys; ++i) {
      ASSERT_EQ(intern(keys, {std::to_string(i)}), i);
    }
  }
}

TEST(KeyDictionary, RandomTuples_AgreeWithAnOrderedMap) {
  std::mt19937_64 random(61);
  KeyDictionary keys(3, 20'000);
  std::map<Tuple, std::uint32_t> expected;
  for (int i = 0; i < 200'000; ++i) {
    const Tuple tuple = {std::string(random() % 4, 'h') + std::to_string(random() % 30), std::to_string(random() % 40),
                         std::string(random() % 20, 'p')};
    const auto known = expected.find(tuple);
    const std::optional<std::uint32_t> id = intern(keys, tuple);
    if (known != expected.end()) {
      ASSERT_EQ(id, known->second);
    } else if (expected.size() < 20'000) {
      ASSERT_EQ(id, expected.size());
      expected.emplace(tuple, *id);
    } else {
      ASSERT_EQ(id, std::nullopt);
    }
  }
  ASSERT_EQ(keys.size(), 20'000U);
  for (const auto& [tuple, id] : expected) {
    ASSERT_EQ(tuple_of(keys, id), tuple);
  }
}

// More text than the first small blocks hold, with tuples that need a block, or several, for themselves.
TEST(KeyDictionary, ManyAndLongTuples_AgreeWithAnOrderedMap) {
  std::mt19937_64 random(62);
  KeyDictionary keys(2, 400'000);
  keys.reserve(1'000);
  std::map<Tuple, std::uint32_t> expected;
  for (std::uint32_t i = 0; i < 300'000; ++i) {
    const std::size_t length = i % 10'000 == 9'999 ? 200'000 + random() % 4'000'000 : random() % 20;
    const Tuple tuple = {std::to_string(i), std::string(length, 'p')};
    const std::vector<std::string_view> views(tuple.begin(), tuple.end());
    const std::uint64_t hash = KeyDictionary::hash(views);
    keys.prefetch(hash);
    keys.prefetch_entry(hash);
    ASSERT_EQ(keys.intern(views, hash), i);
    if (i % 7 == 0 || length > 100) {
      expected.emplace(tuple, i);
    }
  }
  for (const auto& [tuple, id] : expected) {
    ASSERT_EQ(intern(keys, tuple), id);
    ASSERT_EQ(tuple_of(keys, id), tuple);
  }
  EXPECT_EQ(keys.size(), 300'000U);
}

TEST(KeyDictionary, Values_NeverMove) {
  KeyDictionary keys(1, 50'000);
  ASSERT_EQ(intern(keys, {"first"}), 0U);
  const std::string_view first = keys.value(0, 0);
  for (int i = 0; i < 49'999; ++i) {
    intern(keys, {std::to_string(i)});
  }
  EXPECT_EQ(keys.value(0, 0).data(), first.data());
  EXPECT_EQ(first, "first");
}

TEST(KeyDictionary, Bytes_StayBelowTheWorstCase) {
  for (const std::uint32_t max_keys : {1U, 33U, 5'000U, 100'000U}) {
    KeyDictionary keys(2, max_keys);
    const std::uint64_t limit = KeyDictionary::worst_case_bytes(2, max_keys, 16);
    for (std::uint32_t i = 0; i < max_keys; ++i) {
      const std::string text = std::to_string(10'000'000 + i);
      ASSERT_NE(intern(keys, {text, text}), std::nullopt);
    }
    EXPECT_LE(keys.bytes(), limit) << max_keys;
    EXPECT_GT(keys.bytes(), std::uint64_t{max_keys} * 16) << max_keys;
  }
}

TEST(KeyDictionary, Bytes_StayBelowTheWorstCaseWithTuplesOfAnyLength) {
  constexpr std::size_t kLongest = 60'000;
  constexpr std::uint32_t kKeys = 200;
  KeyDictionary keys(1, kKeys);
  for (std::uint32_t i = 0; i < kKeys; ++i) {
    std::string text(i % 3 == 0 ? kLongest : kLongest - i * 100, 'x');
    text.replace(0, 4, std::to_string(1'000 + i));
    ASSERT_NE(intern(keys, {text}), std::nullopt);
    ASSERT_LE(keys.bytes(), KeyDictionary::worst_case_bytes(1, kKeys, kLongest));
  }
}

TEST(KeyDictionary, Keep_GivesTheOthersNewIdsInTheirOrderAndRoomForMore) {
  constexpr std::uint32_t kKeys = 20'000;
  KeyDictionary keys(2, kKeys);
  const auto text = [](std::uint32_t i) { return std::string(i % 300, 'x') + std::to_string(i); };
  for (std::uint32_t i = 0; i < kKeys; ++i) {
    ASSERT_EQ(intern(keys, {text(i), "b"}), i);
  }
  ASSERT_EQ(intern(keys, {"new", ""}), std::nullopt);
  for (std::uint64_t generation = 1; generation < 4; ++generation) {
    std::vector<std::uint8_t> kept(keys.size());
    std::vector<std::string> texts;
    for (std::uint32_t id = 0; id < keys.size(); ++id) {
      if (id % 3 == generation % 3) continue;
      kept[id] = 1;
      texts.emplace_back(keys.value(id, 0));
    }
    keys.keep(kept);
    EXPECT_EQ(keys.generation(), generation);
    ASSERT_EQ(keys.size(), texts.size());
    for (std::uint32_t id = 0; id < keys.size(); ++id) {
      ASSERT_EQ(keys.value(id, 0), texts[id]);
      ASSERT_EQ(intern(keys, {texts[id], std::string(keys.value(id, 1))}), id);
    }
    // However often texts of any length come and go, no more is held than foreseen.
    for (std::uint32_t i = keys.size(); i < kKeys; ++i) {
      ASSERT_EQ(intern(keys, {"g" + std::to_string(generation) + text(i), "b"}), i);
    }
    ASSERT_LE(keys.bytes(), KeyDictionary::worst_case_bytes(2, kKeys, 310));
  }
}

TEST(KeyDictionary, Readers_SeePublishedIdsWhileOthersAreInterned) {
  constexpr std::uint32_t kKeys = 60'000;
  KeyDictionary keys(1, kKeys);
  std::atomic<bool> wrong = false;
  std::vector<std::thread> readers;
  for (unsigned reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&keys, &wrong, reader] {
      std::mt19937_64 random(70 + reader);
      std::uint32_t size = 0;
      while (size < kKeys && !wrong) {
        const std::uint32_t grown = keys.size();
        wrong = wrong || grown < size;
        size = grown;
        for (int i = 0; i < 20 && size > 0; ++i) {
          const auto id = static_cast<std::uint32_t>(i == 0 ? size - 1 : random() % size);
          wrong = wrong || keys.value(id, 0) != std::to_string(id);
        }
      }
    });
  }
  for (std::uint32_t id = 0; id < kKeys; ++id) {
    intern(keys, {std::to_string(id)});
  }
  for (std::thread& reader : readers) {
    reader.join();
  }
  EXPECT_FALSE(wrong);
}

}  // namespace
}  // namespace weir::batch
