// Whom to blame for connections that end without a word.
#include "sink/end_of_connection.hpp"

#include <gtest/gtest.h>

namespace weir::sink {
namespace {

using Verdict = EndOfConnection::Verdict;

TEST(EndOfConnection, WhatWentWithOthersIsNotBlamed) {
  EndOfConnection suspect({1, false});
  suspect.acknowledged();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(suspect.ended(false, false), Verdict::go_on);
  EXPECT_EQ(suspect.window(), 1U) << "it goes alone from now on";
}

TEST(EndOfConnection, TheThirdTimeTheFrontIsGivenUp) {
  EndOfConnection suspect({1, false});
  suspect.acknowledged();
  EXPECT_EQ(suspect.ended(true, false), Verdict::go_on);
  EXPECT_EQ(suspect.ended(true, false), Verdict::go_on);
  EXPECT_EQ(suspect.ended(true, false), Verdict::give_front_up);
  EXPECT_EQ(suspect.ended(true, false), Verdict::go_on) << "the next one has its own tries";
}

TEST(EndOfConnection, AnAcknowledgementClearsTheTries) {
  EndOfConnection suspect({1, false});
  suspect.acknowledged();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(suspect.ended(true, false), Verdict::go_on);
    EXPECT_EQ(suspect.ended(true, false), Verdict::go_on);
    EXPECT_FALSE(suspect.acknowledged());
  }
}

TEST(EndOfConnection, ABrokerThatNamesTheMessageIsBelievedAtOnce) {
  EndOfConnection suspect({2, true});
  EXPECT_EQ(suspect.ended(true, true), Verdict::give_front_up);
}

TEST(EndOfConnection, LesserFormsAreTriedWhereNothingWasTakenYet) {
  EndOfConnection suspect({2, true});
  const PublishForm wanted{2, true};
  EXPECT_EQ(suspect.form(), wanted);
  EXPECT_EQ(suspect.ended(true, false), Verdict::go_on);
  EXPECT_EQ(suspect.form(), wanted);
  for (const PublishForm form : {PublishForm{2, false}, {1, true}, {1, false}, {0, true}, {0, false}}) {
    EXPECT_EQ(suspect.ended(true, false), Verdict::go_on);
    EXPECT_EQ(suspect.form(), form) << form.qos << form.retain;
  }
  EXPECT_EQ(suspect.ended(true, false), Verdict::give_front_up);
  EXPECT_EQ(suspect.form(), wanted) << "it was the message";
}

TEST(EndOfConnection, AFormThatIsTakenStays) {
  EndOfConnection suspect({2, false});
  EXPECT_EQ(suspect.ended(true, false), Verdict::go_on);
  EXPECT_EQ(suspect.ended(true, false), Verdict::go_on);
  EXPECT_TRUE(suspect.acknowledged());
  const PublishForm taken{1, false};
  EXPECT_EQ(suspect.form(), taken);
  EXPECT_FALSE(suspect.acknowledged());
  suspect.want(taken);
  for (int i = 0; i < 3; ++i) suspect.ended(true, false);
  EXPECT_EQ(suspect.form(), taken) << "taken once, it is not suspected again";
}

TEST(EndOfConnection, TheWindowOpensWithAcknowledgements) {
  EndOfConnection suspect({1, false});
  EXPECT_FALSE(suspect.careful());
  suspect.ended(false, false);
  EXPECT_TRUE(suspect.careful());
  for (std::size_t i = 1; i <= 63; ++i) {
    suspect.acknowledged();
    EXPECT_EQ(suspect.window(), i + 1);
  }
  suspect.acknowledged();
  EXPECT_FALSE(suspect.careful());
}

}  // namespace
}  // namespace weir::sink
