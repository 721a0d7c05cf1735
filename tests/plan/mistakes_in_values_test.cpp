// What a user is told where the words and signs of values contradict each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/pipelines.hpp"

namespace weir::plan_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(MistakesInValues, HowValuesAreWritten) {
  spec::Pipeline pipeline = simple_pipeline();
  spec::Stream& stream = pipeline.streams[0];
  spec::Format& format = stream.sources[0].format;
  format.thousands = ".";
  EXPECT_THAT(mistakes_of(pipeline),
              ElementsAre(HasSubstr("'decimal' and 'thousands' are both \".\" (add decimal = \",\")")));
  format.decimal = '5';
  EXPECT_THAT(mistakes_of(pipeline), ElementsAre(HasSubstr("'decimal' cannot be \"5\"")));
  format.decimal = ',';
  EXPECT_THAT(mistakes_of(pipeline), IsEmpty());
  stream.true_words = {"on"};
  EXPECT_THAT(mistakes_of(pipeline), ElementsAre(HasSubstr("words of a field that is on or off, and there is none")));
  stream.schema.fields[2].is_switch = true;
  stream.false_words = {"on"};
  EXPECT_THAT(mistakes_of(pipeline), ElementsAre(HasSubstr("'on' is both among 'true' and among 'false'")));
  stream.false_words.clear();
  EXPECT_THAT(mistakes_of(pipeline), IsEmpty());
  stream.time.unit = TimeUnit::format;
  stream.time.format = "%F";
  stream.time.more_formats = {""};
  EXPECT_THAT(mistakes_of(pipeline), ElementsAre(HasSubstr("time: 'format' is empty")));
  stream.time.more_formats = {"%Q"};
  EXPECT_THAT(mistakes_of(pipeline), ElementsAre(HasSubstr("unknown '%Q'")));
}

}  // namespace
}  // namespace weir::plan_test
