// Substitution of environment variables.
#include "plan/environment.hpp"

#include <gtest/gtest.h>

#include <map>

#include "core/secrets.hpp"

namespace weir::plan {
namespace {

std::optional<std::string> variables(const std::string& name) {
  static const std::map<std::string, std::string> kVariables{
      {"A", "x"}, {"EMPTY", ""}, {"NESTED", "${A}"}, {"_b1", "y"}};
  const auto found = kVariables.find(name);
  return found == kVariables.end() ? std::nullopt : std::optional<std::string>(found->second);
}

TEST(Environment, VariablesAndDefaultsAreReplaced) {
  const auto text = [](std::string_view from) { return substitute(from, variables).text; };
  EXPECT_EQ(text(""), "");
  EXPECT_EQ(text("plain $A {A} $"), "plain $A {A} $");
  EXPECT_EQ(text("${A}"), "x");
  EXPECT_EQ(text("<${A}${_b1}>"), "<xy>");
  EXPECT_EQ(text("${MISSING:-d}"), "d");
  EXPECT_EQ(text("${MISSING:-}"), "");
  EXPECT_EQ(text("${MISSING:-a:-b}"), "a:-b");
  EXPECT_EQ(text("${A:-d}"), "x");
  EXPECT_EQ(text("[${EMPTY}]"), "[]");
  EXPECT_EQ(text("${EMPTY:-d}"), "d");
}

TEST(Environment, ValuesAreNotLookedAtAgain) {
  EXPECT_EQ(substitute("${NESTED}", variables).text, "${A}");
}

TEST(Environment, ADoubledDollarIsLiteral) {
  EXPECT_EQ(substitute("$${A}", variables).text, "${A}");
  EXPECT_FALSE(substitute("$${A}", variables).substituted);
  EXPECT_EQ(substitute("a$${A}${A}", variables).text, "a${A}x");
}

TEST(Environment, MistakesNameTheVariable) {
  EXPECT_EQ(substitute("${MISSING}", variables).mistake, "the environment variable MISSING is not set");
  EXPECT_EQ(substitute("${}", variables).mistake, "'' is no name of an environment variable");
  EXPECT_EQ(substitute("${1A}", variables).mistake, "'1A' is no name of an environment variable");
  EXPECT_EQ(substitute("${A", variables).mistake, "'${' without its '}'");
}

TEST(Environment, ValuesOfVariablesThatNameASecretAreKeptOutOfWhatIsShown) {
  const Environment environment = [](const std::string& name) {
    return std::optional<std::string>("value-of-" + name);
  };
  for (const char* name : {"MQTT_PASSWORD", "mqtt_passwd", "API_TOKEN", "ClientSecret", "SIGNING_KEY", "DB_PASS"}) {
    const std::string text = substitute("topic/${" + std::string(name) + "}/x", environment).text;
    EXPECT_EQ(text, "topic/value-of-" + std::string(name) + "/x");
    EXPECT_EQ(without_secrets(text), "topic/***/x") << name;
  }
  for (const char* name : {"HOST", "PORT", "KEYS", "PASSAGE", "MONKEY"}) {
    const std::string text = substitute("${" + std::string(name) + "}", environment).text;
    EXPECT_EQ(without_secrets(text), text);
  }
}

}  // namespace
}  // namespace weir::plan
