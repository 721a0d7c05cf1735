// Secrets that every user of the machine can read.
#include "plan/exposed_secrets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "plan/plan.hpp"
#include "support/temporary_directory.hpp"

namespace weir::plan_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Perms = std::filesystem::perms;

constexpr Perms kOwner = Perms::owner_read | Perms::owner_write;
constexpr Perms kGroup = kOwner | Perms::group_read;
constexpr Perms kAll = kGroup | Perms::others_read;

class ExposedSecrets : public ::testing::Test {
 protected:
  [[nodiscard]] std::string file(const std::string& name, const std::string& content, Perms perms) const {
    std::string path = directory_.path() + "/" + name;
    std::ofstream(path) << content;
    std::filesystem::permissions(path, perms);
    return path;
  }
  static plan::Plan with_source(const std::string& config, const std::string& password, const std::string& key = {}) {
    plan::Plan plan;
    plan.spec.file = config;
    plan.spec.streams.resize(1);
    plan.spec.streams[0].sources.resize(1);
    plan.spec.streams[0].sources[0].password = password;
    plan.spec.streams[0].sources[0].key_file = key;
    return plan;
  }

  const test::TemporaryDirectory directory_;
};

TEST_F(ExposedSecrets, APasswordInAConfigurationForAll) {
  for (const std::string text : {"password = \"river\"", "password = 'river'"}) {
    const std::string config = file("c.toml", text, kAll);
    EXPECT_THAT(plan::exposed_secrets(with_source(config, "river")),
                ElementsAre(HasSubstr("c.toml' holds a password")));
  }
}

TEST_F(ExposedSecrets, APasswordOfASink) {
  plan::Plan plan = with_source(file("c.toml", "password = \"river\"", kAll), "");
  plan.spec.sinks.resize(1);
  plan.spec.sinks[0].password = "river";
  EXPECT_EQ(plan::exposed_secrets(plan).size(), 1U);
}

TEST_F(ExposedSecrets, AConfigurationForOwnerAndGroupIsKept) {
  for (const Perms perms : {kOwner, kGroup}) {
    const std::string config = file("c.toml", "password = \"river\"", perms);
    EXPECT_THAT(plan::exposed_secrets(with_source(config, "river")), IsEmpty());
  }
}

TEST_F(ExposedSecrets, APasswordOfTheEnvironmentDoesNotStandInTheFile) {
  const std::string config = file("c.toml", "password = \"${PASSWORD}\"", kAll);
  EXPECT_THAT(plan::exposed_secrets(with_source(config, "river")), IsEmpty());
}

TEST_F(ExposedSecrets, WithoutAPasswordThereIsNothingToKeep) {
  EXPECT_THAT(plan::exposed_secrets(with_source(file("c.toml", "password = \"\"", kAll), "")), IsEmpty());
  EXPECT_THAT(plan::exposed_secrets(with_source("standard input", "river")), IsEmpty());
}

TEST_F(ExposedSecrets, APrivateKeyForAllIsNamedOnce) {
  const std::string key = file("own.key", "x", kAll);
  plan::Plan plan = with_source("", "", key);
  plan.spec.streams[0].sources.push_back(plan.spec.streams[0].sources[0]);
  EXPECT_THAT(plan::exposed_secrets(plan), ElementsAre(HasSubstr("the private key '" + key + "'")));
  EXPECT_THAT(plan::exposed_secrets(with_source("", "", file("good.key", "x", kOwner))), IsEmpty());
}

}  // namespace
}  // namespace weir::plan_test
