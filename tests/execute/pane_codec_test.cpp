#include "execute/pane_codec.hpp"

#include <gtest/gtest.h>

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

/// Reads everything; throws what the decoder throws.
std::size_t decode(std::string_view bytes, std::uint32_t groups = 8) {
  const plan::QueryPlan query = full_query();
  state::Reader in(bytes);
  PaneDecoder decoder(query, in, groups);
  PaneGroup group;
  std::int64_t start = 0;
  std::size_t read = 0;
  while (decoder.next_pane(start)) {
    while (decoder.next_group(group)) ++read;
  }
  return read;
}

TEST(PaneCodec, WhatIsWritten_IsReadBack) {
  const plan::QueryPlan query = full_query();
  const std::string bytes = encoded();
  state::Reader in(bytes);
  PaneDecoder decoder(query, in, 8);
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
      EXPECT_EQ(group.arguments[0].last_value, 4);
      EXPECT_EQ(group.arguments[1].count, 0U);
      EXPECT_EQ(group.quantiles[0].bins, expected.quantiles[0].bins);
      EXPECT_EQ(group.distincts, expected.distincts);
    }
  }
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(seen, (std::vector<std::pair<std::int64_t, std::uint32_t>>{{-20, 0}, {-20, 7}, {10, 3}}));
}

TEST(PaneCodec, NoPanes_AreEightBytes) {
  const plan::QueryPlan query = full_query();
  state::SectionWriter out;
  const PaneEncoder encoder(query, out, 0);
  EXPECT_EQ(out.bytes().size(), 8U);
  EXPECT_EQ(decode(out.bytes()), 0U);
}

TEST(PaneCodec, CutShort_IsAnErrorAtEveryLength) {
  const std::string bytes = encoded();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(decode(std::string_view(bytes).substr(0, size)), Error) << size;
  }
}

TEST(PaneCodec, UnknownGroup_IsAnError) {
  EXPECT_EQ(decode(encoded(), 8), 3U);
  EXPECT_THROW(decode(encoded(), 7), Error);
}

TEST(PaneCodec, ChangedBytes_AreAnErrorOrReadWithoutHarm) {
  const std::string bytes = encoded();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      try {
        decode(changed);
      } catch (const Error& error) {
        EXPECT_FALSE(std::string_view(error.what()).empty());
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
