// A configuration that does not fit host or device is refused with the numbers and what to do; everything that grows
// with the input is in the estimate.
#include "runtime/memory_estimate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "runtime/pipeline_support.hpp"

namespace weir::runtime {
namespace {

using Kind = MemoryEstimate::Kind;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kMiB = 1U << 20U;

MemoryEstimate estimate(std::uint64_t host, std::uint64_t device) {
  MemoryEstimate estimate;
  estimate.add({Kind::program, "", 1 * kMiB, 0, 0});
  estimate.add({Kind::panes, "query plugs", host - 1 * kMiB, device, 1000});
  estimate.limit_bytes = 100 * kMiB;
  estimate.limit_is_set = true;
  estimate.device_limit_bytes = 40 * kMiB;
  return estimate;
}

std::string refusal(const MemoryEstimate& wanted) {
  try {
    require_memory(plan::Plan{}, wanted);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return {};
}

TEST(RequireMemory, WhatFitsExactlyIsNotRefused) {
  EXPECT_EQ(refusal(estimate(100 * kMiB, 40 * kMiB)), "");
  EXPECT_EQ(refusal(estimate(2 * kMiB, 0)), "");
}

TEST(RequireMemory, TooMuchForTheHostNamesTheNumbersAndTheLargestPart) {
  EXPECT_THAT(refusal(estimate(101 * kMiB, 0)), AllOf(HasSubstr("101.0 MiB"), HasSubstr("100.0 MiB"),
                                                      HasSubstr("query plugs: panes"), Not(HasSubstr("device"))));
}

TEST(RequireMemory, TooMuchForTheHostNamesTheGroupsThatFit) {
  MemoryEstimate wanted;
  wanted.add({Kind::program, "", 10 * kMiB, 0, 0});
  wanted.add({Kind::histograms, "query q", 1000 * kMiB, 0, 1000});
  wanted.limit_bytes = 110 * kMiB;
  wanted.limit_is_set = true;
  EXPECT_THAT(refusal(wanted), AllOf(HasSubstr("quantiles at their worst"), HasSubstr("max_groups = 99 ")));
}

TEST(RequireMemory, HistogramsCountAgainstALimitThatIsSet) {
  MemoryEstimate wanted;
  wanted.add({Kind::program, "", 10 * kMiB, 0, 0});
  wanted.add({Kind::histograms, "query q", 1000 * kMiB, 0, 1000});
  wanted.limit_bytes = 110 * kMiB;
  EXPECT_EQ(refusal(wanted), "") << "the machine's memory is no promise that was asked for";
  EXPECT_THAT(memory_warning(wanted), HasSubstr("max_groups = 99 "));
  wanted.limit_bytes = 2000 * kMiB;
  EXPECT_EQ(memory_warning(wanted), "");
}

TEST(RequireMemory, TooMuchForTheDeviceSaysThatItIsTheDevices) {
  EXPECT_THAT(refusal(estimate(50 * kMiB, 41 * kMiB)),
              AllOf(HasSubstr("41.0 MiB on the device"), HasSubstr("40.0 MiB"), HasSubstr("device = \"cpu\"")));
}

constexpr const char* kPlan = R"(
[pipeline]
device = "cpu"
threads = 1
PIPELINE
[streams.s]
source = SOURCE
time = { field = "t", unit = "s" }
keys = ["k"]
fields = { v = 0, seq = 0 }
STREAM
[[query]]
name = "q"
from = "s"
group_by = ["k"]
select = ["SELECT"]
window = "60s"
slide = "10s"
QUERY
)";

struct Parts {
  std::string pipeline{}, source = R"({ type = "stdin" })", stream{}, select = "count()", query{};
};

MemoryEstimate estimate_of(const Parts& parts, RunMode mode = RunMode::run) {
  std::string toml = kPlan;
  for (const auto& [name, text] :
       {std::pair("PIPELINE", parts.pipeline), std::pair("SOURCE", parts.source), std::pair("STREAM", parts.stream),
        std::pair("SELECT", parts.select), std::pair("QUERY", parts.query)}) {
    toml.replace(toml.find(name), std::string_view(name).size(), text);
  }
  const plan::Plan plan = test::plan_of(toml);
  return estimate_memory(plan, *execute::make_cpu_backend(1), mode);
}

std::uint64_t bytes_of(const MemoryEstimate& estimate, Kind kind) {
  std::uint64_t bytes = 0;
  for (const MemoryEstimate::Item& item : estimate.items) {
    bytes += item.kind == kind ? item.host_bytes : 0;
  }
  return bytes;
}

TEST(MemoryEstimate, LiveInputOfAnyKindWaitsInTheQueueAndRecordedInputDoesNot) {
  for (const char* const source :
       {R"({ type = "stdin" })", R"({ type = "file", path = "x" })", R"({ type = "directory", path = "/tmp" })",
        R"({ type = "tcp", host = "localhost", port = 1 })",
        R"({ type = "mqtt", broker = "mqtt://h", topics = ["a"] })", R"({ type = "simulator" })"}) {
    const Parts parts{.pipeline = "journal_memory = \"100MiB\"", .source = source};
    EXPECT_EQ(bytes_of(estimate_of(parts), Kind::queue), 100 * kMiB) << source;
    EXPECT_EQ(bytes_of(estimate_of(parts, RunMode::replay), Kind::queue), 0U) << source;
  }
}

TEST(MemoryEstimate, ADurableJournalQueuesOnDiskWhatItCan) {
  const std::string pipeline = "journal_memory = \"100MiB\"\njournal_segment = \"8MiB\"\nstate_dir = \"st\"";
  const MemoryEstimate held = estimate_of({.pipeline = pipeline});
  EXPECT_EQ(bytes_of(held, Kind::queue), 0U);
  EXPECT_EQ(bytes_of(held, Kind::journal_files), 24 * kMiB);
  EXPECT_GE(bytes_of(held, Kind::checkpoints), bytes_of(held, Kind::panes) + bytes_of(held, Kind::keys));
  const MemoryEstimate shed = estimate_of(
      {.pipeline = pipeline, .source = R"({ type = "mqtt", broker = "mqtt://h", topics = ["a"], qos = 0 })"});
  EXPECT_GE(bytes_of(shed, Kind::queue), 100 * kMiB);
}

TEST(MemoryEstimate, KeysCountAtTheirLargest) {
  const std::uint64_t bytes = bytes_of(estimate_of({.stream = "max_keys = 10000\nmax_key_bytes = 4096"}), Kind::keys);
  EXPECT_GE(bytes, 10'000U * 4096);
  EXPECT_LE(bytes, 10'000U * 4096 * 5 / 4);
}

TEST(MemoryEstimate, RememberedReadingsAreInItAndInItsCheckpoints) {
  EXPECT_EQ(bytes_of(estimate_of({}), Kind::dedupe), 0U);
  const std::string dedupe = "dedupe = true\nsequence = \"seq\"\nmax_remembered = 3000000";
  const MemoryEstimate volatile_state = estimate_of({.stream = dedupe});
  EXPECT_GE(bytes_of(volatile_state, Kind::dedupe), 3'000'000U * 32);
  EXPECT_EQ(bytes_of(volatile_state, Kind::checkpoints), 0U);
  const MemoryEstimate saved = estimate_of({.pipeline = "state_dir = \"st\"", .stream = dedupe});
  EXPECT_GE(bytes_of(saved, Kind::checkpoints), bytes_of(saved, Kind::dedupe));
}

TEST(MemoryEstimate, AMessageOfTheLargestSizeIsInItAsOftenAsItIsCopied) {
  const auto with = [](const char* size) {
    return bytes_of(estimate_of({.pipeline = std::string("max_message = \"") + size + "\""}), Kind::messages);
  };
  EXPECT_GE(with("64MiB") - with("32MiB"), 3 * 32 * kMiB) << "in the source and in the decoder";
}

TEST(MemoryEstimate, AMessageLargerThanTheQueueIsInIt) {
  const MemoryEstimate large = estimate_of({.pipeline = "journal_memory = \"1MiB\"\nmax_message = \"32MiB\""});
  EXPECT_GE(bytes_of(large, Kind::queue), 64 * kMiB);
}

TEST(MemoryEstimate, QuantilesCountEveryBinOfEveryGroup) {
  const MemoryEstimate wild = estimate_of({.select = "quantile(v, 0.5)", .query = "max_groups = 100"});
  constexpr std::uint64_t kBins = 7423;
  EXPECT_GE(bytes_of(wild, Kind::histograms), 100 * kBins * 6 * 24);
  EXPECT_EQ(bytes_of(estimate_of({}), Kind::histograms), 0U);
}

TEST(MemoryEstimate, DistinctCountsEveryKeyOnce) {
  const MemoryEstimate few = estimate_of({.stream = "max_keys = 1000", .select = "distinct(k)"});
  const MemoryEstimate many =
      estimate_of({.stream = "max_keys = 1000000", .select = "distinct(k)", .query = "max_groups = 1000"});
  EXPECT_GE(bytes_of(many, Kind::panes) - bytes_of(few, Kind::panes), 999'000U * 24 * 6);
}

TEST(MemoryEstimate, RevisionsCountEveryGroupOfEveryWindowThatIsKept) {
  const Parts parts{.query = "allowed_lateness = \"1000s\"\nmax_groups = 10000"};
  EXPECT_GE(bytes_of(estimate_of(parts), Kind::groups), 100U * 10'000 * 4);
}

}  // namespace
}  // namespace weir::runtime
