// What the log says about a connection that failed, and whether it is tried again.
#include "mqtt/outcome.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weir::mqtt {
namespace {

TEST(MqttOutcome, AFailureWithoutAReasonStillSaysSomething) {
  for (const int version : {4, 5}) {
    const Outcome outcome = outcome_of(paho::exception(-1, std::string()), version);
    EXPECT_NE(outcome.text.find("check host and port"), std::string::npos) << outcome.text;
    EXPECT_FALSE(outcome.refused) << "it is tried again";
  }
}

TEST(MqttOutcome, BothVersionsSayTheSameOfAWrongPassword) {
  const Outcome old = outcome_of(paho::exception(5, std::string()), 4);
  const Outcome now = outcome_of(paho::exception(0x87, std::string()), 5);
  EXPECT_EQ(old.text, now.text);
  EXPECT_EQ(old.reason, 0x87);
  EXPECT_TRUE(old.refused && now.refused);
}

TEST(MqttOutcome, WhatPassesIsNoRefusal) {
  for (const int reason : {0x88, 0x89, 0x8B, 0x97, 0x9C, 0x9F}) EXPECT_FALSE(is_refusal(reason)) << reason;
  for (const int reason : {0x80, 0x83, 0x87, 0x90, 0x91, 0x95, 0x99, 0xFE}) EXPECT_TRUE(is_refusal(reason)) << reason;
  for (const int reason : {0x00, 0x10, -1, 0x100}) EXPECT_FALSE(is_refusal(reason)) << reason;
  EXPECT_FALSE(outcome_of(paho::exception(3, std::string()), 4).refused);
  // A broker that does not say what it minds may take us the next time.
  EXPECT_FALSE(outcome_of(paho::exception(0x80, std::string()), 5).refused);
}

TEST(MqttOutcome, ReasonsHaveANameForTheLedgerAndATextForTheLog) {
  EXPECT_EQ(reason_name(0x87), "not_authorized");
  EXPECT_EQ(reason_name(0x95), "too_large");
  EXPECT_EQ(reason_name(0xFE), "refused");
  EXPECT_NE(reason_text(0x87).find("access list"), std::string::npos);
  EXPECT_EQ(reason_text(0xFE), "reason code 254");
}

}  // namespace
}  // namespace weir::mqtt
