#include "core/error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

TEST(Diagnostic, Text_FileAndLineLeadTheMessage) {
  EXPECT_EQ(to_string(Diagnostic{"a.toml", 7, "unknown key 'slid'", "did you mean 'slide'?"}),
            "a.toml:7: unknown key 'slid' (did you mean 'slide'?)");
}

TEST(Diagnostic, Text_PartsThatAreUnknownAreLeftOut) {
  EXPECT_EQ(to_string(Diagnostic{"", 0, "no stream", ""}), "no stream");
  EXPECT_EQ(to_string(Diagnostic{"a.toml", 0, "no stream", ""}), "a.toml: no stream");
  EXPECT_EQ(to_string(Diagnostic{"", 3, "no stream", ""}), "line 3: no stream");
}

TEST(Diagnostic, Text_StaysOnOneLineWhateverItQuotes) {
  const std::string text = to_string(Diagnostic{"a\nb", 1, "bad\r\nvalue", "use\nthis"});
  EXPECT_EQ(text.find_first_of("\r\n"), std::string::npos) << text;
}

TEST(ConfigError, What_HasOneLineForEachDiagnostic) {
  const ConfigError error({Diagnostic{"a.toml", 1, "first", ""}, Diagnostic{"a.toml", 2, "second", "hint"}});
  EXPECT_STREQ(error.what(), "a.toml:1: first\na.toml:2: second (hint)");
  EXPECT_EQ(error.diagnostics().size(), 2U);
}

TEST(ConfigError, Message_BecomesOneDiagnostic) {
  const ConfigError error("bad zone", "use UTC");
  ASSERT_EQ(error.diagnostics().size(), 1U);
  EXPECT_EQ(error.diagnostics().front().message, "bad zone");
  EXPECT_EQ(error.diagnostics().front().suggestion, "use UTC");
  EXPECT_STREQ(error.what(), "bad zone (use UTC)");
}

TEST(ConfigError, Catch_IsAnError) {
  EXPECT_THROW(throw ConfigError("x"), Error);
}

}  // namespace
}  // namespace weir
