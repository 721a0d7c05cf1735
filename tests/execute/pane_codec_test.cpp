#include "execute/pane_codec.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "execute/queries.hpp"

namespace weir::execute {
namespace {

plan::QueryPlan full_query() {
  plan::QueryPlan query = grouped_query({0}, 30, 10);
  plan::Argument all;
  all.field = 0;
  all.parts = plan::kPartCount | plan::kPartSum | plan::kPartSquares | plan::kPartMinMax | plan::kPartFirst |
              plan::kPartLast | plan::kPartQuantile;
  plan::Argument sum;
  sum.field = 1;
  sum.parts = plan::kPartCount | plan::kPartSum;
  query.arguments = {all, sum};
  plan::Aggregate distinct;
  distinct.kind = plan::AggregateKind::distinct;
  distinct.key = 0;
  query.aggregates = {distinct};
  return query;
}

PaneGroup full_group(std::uint32_t id) {
  PaneGroup group;
  group.group = id;
  group.rows = 5;
  group.arguments.resize(2);
  ArgumentTotal& total = group.arguments[0];
  total.count = 4;
  total.sum = -(static_cast<Int128>(1) << 64) - 5;
  total.squares = {{1, 2, 3}};
  total.min = -9;
  total.max = 11;
  total.first_time = 1;
  total.first_value = 2;
  total.last_time = 3;
  total.last_value = 4;
  group.quantiles.resize(1);
  group.quantiles[0].bins = {{-9, 1}, {3, 3}};
  group.distincts = {{{1, 5}, {4'095, 53}}};
  return group;
}

std::string encoded() {
  state::SectionWriter out;
  const plan::QueryPlan query = full_query();
  PaneEncoder encoder(query, out, 2);
  encoder.pane(-20, 10);
  encoder.group(full_group(0));
  encoder.group(full_group(7));
  encoder.pane(10, 5);
  encoder.group(full_group(3));
  encoder.finish();
  return std::string(out.bytes());
}

/// The same panes with fixed numbers, as checkpoints had them before, written by hand.
std::string encoded_fixed() {
  std::string bytes;
  const auto put = [&bytes](std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  };
  const auto group = [&put](std::uint32_t id) {
    put(id, 4);
    put(5, 8);                      // readings
    put(4, 8);                      // values of the first argument
    put(0xFFFF'FFFF'FFFF'FFFB, 8);  // sum: -2^64 - 5
    put(0xFFFF'FFFF'FFFF'FFFE, 8);
    for (const unsigned limb : {1U, 2U, 3U}) put(limb, 8);
    put(0xFFFF'FFFF'FFFF'FFF7, 8);  // -9
    for (const unsigned value : {11U, 1U, 2U, 3U, 4U}) put(value, 8);
    put(2, 4);  // bins
    put(0xFFFF'FFF7, 4);
    put(1, 8);
    put(3, 4);
    put(3, 8);
    put(0, 8);  // values of the second argument
    put(2, 4);  // registers
    put(1, 4);
    put(5, 1);
    put(4'095, 4);
    put(53, 1);
  };
  put(2, 8);
  put(0xFFFF'FFFF'FFFF'FFEC, 8);  // -20
  put(2, 4);
  group(0);
  group(7);
  put(10, 8);
  put(1, 4);
  group(3);
  return bytes;
}

/// Reads everything; throws what the decoder throws.
std::size_t decode(std::string_view bytes, std::uint32_t groups = 8, PaneNumbers numbers = PaneNumbers::compact) {
  const plan::QueryPlan query = full_query();
  state::Reader in(bytes);
  PaneDecoder decoder(query, in, numbers, groups);
  PaneGroup group;
  std::int64_t start = 0;
  std::size_t read = 0;
  while (decoder.next_pane(start)) {
    while (decoder.next_group(group)) ++read;
  }
  return read;
}

void expect_read_back(const std::string& bytes, PaneNumbers numbers) {
  const plan::QueryPlan query = full_query();
  state::Reader in(bytes);
  PaneDecoder decoder(query, in, numbers, 8);
  PaneGroup group;
  std::int64_t start = 0;
  std::vector<std::pair<std::int64_t, std::uint32_t>> seen;
  while (decoder.next_pane(start)) {
    while (decoder.next_group(group)) {
      seen.emplace_back(start, group.group);
      const PaneGroup expected = full_group(group.group);
      EXPECT_EQ(group.rows, expected.rows);
      EXPECT_EQ(group.arguments[0].count, 4U);
      EXPECT_TRUE(group.arguments[0].sum == expected.arguments[0].sum);
      EXPECT_TRUE(group.arguments[0].squares == expected.arguments[0].squares);
      EXPECT_EQ(group.arguments[0].min, -9);
      EXPECT_EQ(group.arguments[0].max, 11);
      EXPECT_EQ(group.arguments[0].first_time, 1);
      EXPECT_EQ(group.arguments[0].first_value, 2);
      EXPECT_EQ(group.arguments[0].last_time, 3);
      EXPECT_EQ(group.arguments[0].last_value, 4);
      EXPECT_EQ(group.arguments[1].count, 0U);
      EXPECT_EQ(group.quantiles[0].bins, expected.quantiles[0].bins);
      EXPECT_EQ(group.distincts, expected.distincts);
    }
  }
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(seen, (std::vector<std::pair<std::int64_t, std::uint32_t>>{{-20, 0}, {-20, 7}, {10, 3}}));
}

TEST(PaneCodec, WhatIsWritten_IsReadBack) {
  expect_read_back(encoded(), PaneNumbers::compact);
}

TEST(PaneCodec, FixedNumbers_AreStillRead) {
  expect_read_back(encoded_fixed(), PaneNumbers::fixed);
}

TEST(PaneCodec, CompactNumbers_AreAThirdOfFixedOnes) {
  EXPECT_LT(encoded().size() * 3, encoded_fixed().size());
}

TEST(PaneCodec, Extremes_AreReadBack) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const plan::QueryPlan query = full_query();
  for (const std::int64_t start : {kLeast + 8, std::int64_t{0}, kMost - 7}) {  // multiples of 10
    for (const auto& [least, most] : {std::pair{kLeast, kMost}, {kMost, kMost}, {kLeast, kLeast}, {-1, 0}}) {
      PaneGroup group = full_group(7);
      group.rows = (std::uint64_t{1} << 62U) - 1;
      ArgumentTotal& total = group.arguments[0];
      total.min = total.first_time = total.first_value = least;
      total.max = total.last_time = total.last_value = most;
      total.squares = {{~std::uint64_t{0}, ~std::uint64_t{0}, 0}};
      for (const Int128 sum :
           {static_cast<Int128>(kMost), static_cast<Int128>(kMost) + 1, static_cast<Int128>(kLeast) - 1,
            static_cast<Int128>(kLeast) * 4, static_cast<Int128>(kMost) * 3}) {
        total.sum = sum;
        state::SectionWriter out;
        PaneEncoder encoder(query, out, 1);
        encoder.pane(start, group.rows);
        encoder.group(group);
        encoder.finish();
        state::Reader in(out.bytes());
        PaneDecoder decoder(query, in, PaneNumbers::compact, 8);
        PaneGroup read;
        std::int64_t read_start = 0;
        ASSERT_TRUE(decoder.next_pane(read_start) && decoder.next_group(read));
        EXPECT_EQ(read_start, start);
        EXPECT_EQ(read.group, 7U);
        EXPECT_EQ(read.rows, group.rows);
        EXPECT_TRUE(read.arguments[0].sum == sum);
        EXPECT_TRUE(read.arguments[0].squares == total.squares);
        EXPECT_EQ(read.arguments[0].min, least);
        EXPECT_EQ(read.arguments[0].max, most);
        EXPECT_EQ(read.arguments[0].first_time, least);
        EXPECT_EQ(read.arguments[0].first_value, least);
        EXPECT_EQ(read.arguments[0].last_time, most);
        EXPECT_EQ(read.arguments[0].last_value, most);
      }
    }
  }
}

TEST(PaneCodec, NoPanes_AreEightBytes) {
  const plan::QueryPlan query = full_query();
  state::SectionWriter out;
  const PaneEncoder encoder(query, out, 0);
  EXPECT_EQ(out.bytes().size(), 8U);
  EXPECT_EQ(decode(out.bytes()), 0U);
}

TEST(PaneCodec, CutShort_IsAnErrorAtEveryLength) {
  for (const PaneNumbers numbers : {PaneNumbers::compact, PaneNumbers::fixed}) {
    const std::string bytes = numbers == PaneNumbers::compact ? encoded() : encoded_fixed();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_THROW(decode(std::string_view(bytes).substr(0, size), 8, numbers), Error) << size;
    }
  }
}

TEST(PaneCodec, UnknownGroup_IsAnError) {
  EXPECT_EQ(decode(encoded(), 8), 3U);
  EXPECT_THROW(decode(encoded(), 7), Error);
  EXPECT_EQ(decode(encoded_fixed(), 8, PaneNumbers::fixed), 3U);
  EXPECT_THROW(decode(encoded_fixed(), 7, PaneNumbers::fixed), Error);
}

TEST(PaneCodec, ChangedBytes_AreAnErrorOrReadWithoutHarm) {
  for (const PaneNumbers numbers : {PaneNumbers::compact, PaneNumbers::fixed}) {
    const std::string bytes = numbers == PaneNumbers::compact ? encoded() : encoded_fixed();
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (const int flip : {0x01, 0x80, 0xFF}) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ flip);
        try {
          decode(changed, 8, numbers);
        } catch (const Error& error) {
          EXPECT_FALSE(std::string_view(error.what()).empty());
        }
      }
    }
  }
}

TEST(PaneCodec, ImpossibleState_IsRefused) {
  const auto refused = [](const auto& change) {
    PaneGroup group = full_group(0);
    std::int64_t start = 0;
    change(group, start);
    state::SectionWriter out;
    const plan::QueryPlan query = full_query();
    PaneEncoder encoder(query, out, 1);
    encoder.pane(start, 5);
    encoder.group(group);
    encoder.finish();
    EXPECT_THROW(decode(out.bytes()), Error);
  };
  refused([](PaneGroup& group, std::int64_t&) { group.rows = 0; });
  refused([](PaneGroup& group, std::int64_t&) { group.rows = 3; });  // fewer than its values
  refused([](PaneGroup&, std::int64_t& start) { start = 5; });       // off the grid of panes of 10
  refused([](PaneGroup& group, std::int64_t&) { group.arguments[0].min = 12; });
  refused([](PaneGroup& group, std::int64_t&) { group.arguments[0].sum = static_cast<Int128>(1) << 70; });
  refused([](PaneGroup& group, std::int64_t&) { group.quantiles[0].bins = {{3, 2}, {3, 2}}; });
  refused([](PaneGroup& group, std::int64_t&) { group.quantiles[0].bins = {{3, 3}}; });
  refused([](PaneGroup& group, std::int64_t&) { group.quantiles[0].bins = {{1'000'000, 4}}; });
  refused([](PaneGroup& group, std::int64_t&) { group.distincts = {{{4'096, 1}}}; });
  refused([](PaneGroup& group, std::int64_t&) { group.distincts = {{{1, 0}}}; });
  refused([](PaneGroup& group, std::int64_t&) { group.distincts = {{{2, 1}, {1, 1}}}; });
}

}  // namespace
}  // namespace weir::execute
