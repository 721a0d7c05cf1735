#include "mqtt/broker_limits.hpp"

#include <gtest/gtest.h>

#include "mqtt/client.hpp"

namespace weir::mqtt {
namespace {

TEST(BrokerLimits, APacketsSizeIsThatOfTheWire) {
  // 0x32, its length, 2 + 3 of topic, 2 of packet identifier, 1 of properties, payload
  EXPECT_EQ(publish_packet_size(3, 0, 1, 5), 2U + 8U);
  EXPECT_EQ(publish_packet_size(3, 0, 0, 5), 2U + 6U);
  EXPECT_EQ(publish_packet_size(3, 0, 1, 4), 2U + 7U);
  EXPECT_EQ(publish_packet_size(3, 120, 0, 4), 2U + 125U);
  EXPECT_EQ(publish_packet_size(3, 122, 0, 4), 2U + 127U);
  EXPECT_EQ(publish_packet_size(3, 123, 0, 4), 3U + 128U);
  EXPECT_EQ(publish_packet_size(3, 16'378, 0, 4), 3U + 16'383U);
  EXPECT_EQ(publish_packet_size(3, 16'379, 0, 4), 4U + 16'384U);
  EXPECT_EQ(publish_packet_size(3, 2'097'147, 0, 4), 5U + 2'097'152U);
}

TEST(BrokerLimits, ThePacketSizeThatWeTellHasRoomForTopicAndProperties) {
  EXPECT_EQ(packet_size_for(1), 131'073U);
  EXPECT_EQ(packet_size_for(16U << 20U), (16U << 20U) + 131'072U);
  EXPECT_EQ(packet_size_for(~std::uint64_t{0}), 268'435'460U) << "no more than MQTT can encode";
}

}  // namespace
}  // namespace weir::mqtt
