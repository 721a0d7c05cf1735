// The line at the foot of a terminal, as the bytes that reach standard error. tests/integration/outputs_test.py looks
// at a terminal that has both streams.
#include "core/status_line.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace weir::status_line {
namespace {

TEST(StatusLine, IsDrawnOverItselfAndPutAsideForWhatElseIsWritten) {
  ::testing::internal::CaptureStderr();
  begin();
  show("one");
  show("two");
  {
    const Aside aside(On::error);
    std::fputs("a line\n", stderr);
  }
  end();
  end();
  show("three");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "\r\033[Kone\r\033[Ktwo\r\033[Ka line\ntwo\r\033[K");
}

TEST(StatusLine, NobodyWaitsForAWriterToAnOutputThatIsNoTerminal) {
  ::testing::internal::CaptureStdout();  // into a file
  ::testing::internal::CaptureStderr();
  begin();
  show("one");
  {
    const Aside output(On::output);
    show("two");
  }
  end();
  {
    const Aside error(On::error);
    const Aside output(On::output);
    begin();
    end();
  }
  ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "\r\033[Kone\r\033[Ktwo\r\033[K");
}

TEST(StatusLine, NothingIsWrittenWhereNoneIsShown) {
  ::testing::internal::CaptureStderr();
  { const Aside error(On::error); }
  { const Aside output(On::output); }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace weir::status_line
