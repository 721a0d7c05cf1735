#include "core/secrets.hpp"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Secrets, WhatIsKeptIsNotShown) {
  EXPECT_EQ(without_secrets("user hunter2-test"), "user hunter2-test");
  keep_secret("hunter2-test");
  keep_secret("hunter2-test");
  EXPECT_EQ(without_secrets("user hunter2-test, hunter2-testhunter2-test."), "user ***, ******.");
  EXPECT_EQ(without_secrets("hunter2"), "hunter2");
}

TEST(Secrets, OneThatHoldsAnotherIsLeftOutWhole) {
  keep_secret("inner-value");
  keep_secret("outer-inner-value-outer");
  EXPECT_EQ(without_secrets("outer-inner-value-outer inner-value"), "*** ***");
}

TEST(Secrets, ShortValuesAreNotKept) {
  keep_secret("");
  keep_secret("1");
  keep_secret("abc");
  EXPECT_EQ(without_secrets("1 abc"), "1 abc");
}

}  // namespace
}  // namespace weir
