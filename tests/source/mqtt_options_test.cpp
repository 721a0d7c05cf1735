// What the log says about a connection that failed.
#include "source/mqtt_options.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weir::source {
namespace {

TEST(MqttOutcome, AFailureWithoutAReasonStillSaysSomething) {
  for (const int version : {4, 5}) {
    const Outcome outcome = outcome_of(mqtt::exception(-1, std::string()), version);
    EXPECT_NE(outcome.text.find("check host and port"), std::string::npos) << outcome.text;
    EXPECT_FALSE(outcome.refused) << "it is tried again";
  }
}

}  // namespace
}  // namespace weir::source
