// What arrives on the device is what was in the batch, whichever encoding was chosen, and the narrow one where it fits.
#include "execute/cuda/chunk_upload.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/decimal.hpp"
#include "kernels/host_device.hpp"

namespace weir::execute::cuda {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kSmallest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kSecond = 1'000'000'000;

plan::QueryPlan query_of_one_field() {
  plan::QueryPlan query;
  query.field_places = {3};
  query.group_keys = {0};
  query.arguments.emplace_back();
  query.arguments[0].field = 0;
  query.arguments[0].parts = plan::kPartSum;
  return query;
}

struct Uploaded {
  bool narrow_times = false;
  bool narrow_field = false;
  std::int64_t unit = 0;
};

/// Uploads one row each time and value, and compares them on the device.
Uploaded upload(const std::vector<std::int64_t>& times, const std::vector<std::int64_t>& values,
                bool integrated = false) {
  kernels::host::HostDeviceOptions options;
  options.integrated = integrated;
  const auto device = kernels::host::make_host_device(options);
  const plan::QueryPlan query = query_of_one_field();
  ChunkUpload upload(*device, query);
  const auto rows = static_cast<std::uint32_t>(times.size());
  batch::Batch batch(1, rows);
  for (std::uint32_t i = 0; i < rows; ++i) {
    batch.times()[i] = times[i];
    batch.field(0)[i] = values[i];
    batch.keys()[i] = 7 * i;
  }
  batch.set_size(rows);
  const kernels::Stream compute = device->make_stream();
  const kernels::ChunkView chunk = upload.upload(batch, {0, rows}, *std::min_element(times.begin(), times.end()),
                                                 *std::max_element(times.begin(), times.end()), {}, compute);
  device->synchronize(compute);
  for (std::uint32_t i = 0; i < rows; ++i) {
    EXPECT_EQ(chunk.times.at(i), times[i]) << i;
    EXPECT_EQ(chunk.fields[0].at(i), values[i]) << i;
    EXPECT_EQ(chunk.keys[i], 7 * i);
  }
  return {chunk.times.narrow, chunk.fields[0].narrow, chunk.times.unit};
}

TEST(ChunkUpload, Times_AreOffsetsInTheCoarsestUnitThatIsExact) {
  EXPECT_EQ(upload({5 * kSecond, 3 * kSecond, 400'000 * kSecond}, {0, 0, 0}).unit, kSecond);
  EXPECT_EQ(upload({5 * kSecond + 1'000'000, 3 * kSecond}, {0, 0}).unit, 1'000'000);
  EXPECT_EQ(upload({1'000, 3 * kSecond}, {0, 0}).unit, 1'000);
  EXPECT_EQ(upload({1, 2 * kSecond}, {0, 0}).unit, 1);
  // An offset that only the last of many rows has.
  std::vector<std::int64_t> times(40, kSecond);
  times[39] = 0;
  times[38] = 17;
  EXPECT_EQ(upload(times, std::vector<std::int64_t>(40)).unit, 1);
}

TEST(ChunkUpload, Times_KeepTheirWidthWhereNoUnitFits) {
  EXPECT_FALSE(upload({0, 1, 5 * kSecond}, {0, 0, 0}).narrow_times);
  EXPECT_FALSE(upload({kSmallest, kLargest}, {0, 0}).narrow_times);
  EXPECT_TRUE(upload({0, (std::int64_t{1} << 32) - 1}, {0, 0}).narrow_times);
  EXPECT_FALSE(upload({0, std::int64_t{1} << 32}, {0, 0}).narrow_times);
  EXPECT_TRUE(upload({kLargest - 3, kLargest}, {0, 0}).narrow_times);
  EXPECT_TRUE(upload({kSmallest, kSmallest + 9}, {0, 0}).narrow_times);
}

TEST(ChunkUpload, Values_AreNarrowWithinTheRangeThatLeavesRoomForNull) {
  constexpr std::int64_t kHigh = std::numeric_limits<std::int32_t>::max();
  constexpr std::int64_t kLow = std::numeric_limits<std::int32_t>::min();
  EXPECT_TRUE(upload({1, 2, 3}, {kHigh, kLow + 1, kNullUnits}).narrow_field);
  EXPECT_FALSE(upload({1, 2}, {0, kLow}).narrow_field);
  EXPECT_FALSE(upload({1, 2}, {kHigh + 1, kNullUnits}).narrow_field);
  EXPECT_FALSE(upload({1, 2}, {kLargest, -kLargest}).narrow_field);
}

TEST(ChunkUpload, Columns_OfSharedMemoryAreReadInPlace) {
  const Uploaded there = upload({1, 2, 3}, {4, 5, kNullUnits}, true);
  EXPECT_FALSE(there.narrow_times);
  EXPECT_FALSE(there.narrow_field);
}

}  // namespace
}  // namespace weir::execute::cuda
