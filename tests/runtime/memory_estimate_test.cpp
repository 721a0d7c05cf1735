// A configuration that does not fit host or device is refused with the numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "runtime/pipeline.hpp"

namespace weir::runtime {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

MemoryEstimate estimate(std::uint64_t host, std::uint64_t device) {
  MemoryEstimate estimate;
  estimate.items = {{"program", 1 * kMiB, 0}, {"query plugs", host - 1 * kMiB, device}};
  estimate.host_bytes = host;
  estimate.device_bytes = device;
  estimate.limit_bytes = 100 * kMiB;
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
  EXPECT_THAT(refusal(estimate(101 * kMiB, 0)),
              ::testing::AllOf(::testing::HasSubstr("101.0 MiB"), ::testing::HasSubstr("100.0 MiB"),
                               ::testing::HasSubstr("query plugs"), ::testing::Not(::testing::HasSubstr("device"))));
}

TEST(RequireMemory, TooMuchForTheDeviceSaysThatItIsTheDevices) {
  EXPECT_THAT(refusal(estimate(50 * kMiB, 41 * kMiB)),
              ::testing::AllOf(::testing::HasSubstr("41.0 MiB on the device"), ::testing::HasSubstr("40.0 MiB"),
                               ::testing::HasSubstr("device = \"cpu\"")));
}

}  // namespace
}  // namespace weir::runtime
