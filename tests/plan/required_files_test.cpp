// What a configuration names and must lie on this machine.
#include "plan/required_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "plan/pipelines.hpp"
#include "support/temporary_directory.hpp"

namespace weir::plan_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class RequiredFiles : public ::testing::Test {
 protected:
  RequiredFiles() {
    std::filesystem::create_directory(path("directory"));
    std::ofstream(path("file")) << "x";
  }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_.path() + "/" + name; }

  static std::vector<std::string> mistakes(const spec::Source& source, const spec::Sink& sink,
                                           const std::string& state_dir, plan::Inputs inputs = plan::Inputs::include) {
    plan::Plan plan;
    plan.spec.state_dir = state_dir;
    plan.spec.streams.resize(1);
    plan.spec.streams[0].name = "s";
    plan.spec.streams[0].sources = {source};
    plan.spec.sinks = {sink};
    plan.spec.sinks[0].name = "m";
    try {
      plan::require_files(plan, inputs);
    } catch (const ConfigError& error) {
      std::vector<std::string> texts;
      for (const Diagnostic& diagnostic : error.diagnostics()) texts.push_back(diagnostic.message);
      return texts;
    }
    return {};
  }
  static spec::Source source(spec::SourceKind kind, const std::string& path) {
    spec::Source source;
    source.kind = kind;
    source.path = path;
    return source;
  }
  static spec::Source mqtt(const std::string& ca, const std::string& cert, const std::string& key) {
    spec::Source source;
    source.kind = spec::SourceKind::mqtt;
    source.ca_file = ca;
    source.cert_file = cert;
    source.key_file = key;
    return source;
  }
  static spec::Sink mqtt_sink(const std::string& ca) {
    spec::Sink sink;
    sink.kind = spec::SinkKind::mqtt;
    sink.ca_file = ca;
    return sink;
  }

  test::TemporaryDirectory directory_;
};

TEST_F(RequiredFiles, WhatIsThereIsNoMistake) {
  const std::string file = path("file");
  EXPECT_THAT(mistakes(mqtt("", "", ""), mqtt_sink(""), path("directory")), IsEmpty());
  EXPECT_THAT(mistakes(mqtt("", "", ""), mqtt_sink(""), path("directory/made/when/needed")), IsEmpty());
  EXPECT_THAT(mistakes(source(spec::SourceKind::file, file), {}, ""), IsEmpty());
  EXPECT_THAT(mistakes(source(spec::SourceKind::directory, path("directory")), {}, ""), IsEmpty());
}

TEST_F(RequiredFiles, EveryTlsFileThatIsMissingIsNamed) {
  EXPECT_THAT(
      mistakes(mqtt(path("ca"), path("cert"), path("directory")), mqtt_sink(path("ca")), ""),
      ElementsAre("stream 's', source: cannot read 'ca_file' = \"" + path("ca") + "\": No such file or directory",
                  "stream 's', source: cannot read 'cert_file' = \"" + path("cert") + "\": No such file or directory",
                  "stream 's', source: cannot read 'key_file' = \"" + path("directory") + "\": it is a directory",
                  "sink 'm': cannot read 'ca_file' = \"" + path("ca") + "\": No such file or directory"));
}

TEST_F(RequiredFiles, TlsFilesThatAreNoneAreNamed) {
  const std::string no_certificate = "\": it holds no certificate in PEM";
  EXPECT_THAT(mistakes(mqtt(path("file"), "", ""), mqtt_sink(path("file")), ""),
              ElementsAre(StartsWith("stream 's', source: 'ca_file' = \"" + path("file") + no_certificate),
                          StartsWith("sink 'm': 'ca_file' = \"" + path("file") + no_certificate)));
}

TEST_F(RequiredFiles, InputsAreLookedForOnlyWhereAsked) {
  const spec::Source file = source(spec::SourceKind::file, path("none"));
  EXPECT_THAT(mistakes(file, {}, ""), ElementsAre("stream 's', source: cannot read 'path' = \"" + path("none") +
                                                  "\": No such file or directory"));
  EXPECT_THAT(mistakes(file, {}, "", plan::Inputs::leave_out), IsEmpty());
  EXPECT_THAT(mistakes(source(spec::SourceKind::directory, path("file")), {}, ""),
              ElementsAre("stream 's', source: cannot read 'path' = \"" + path("file") + "\": it is no directory"));
}

TEST_F(RequiredFiles, AFileOfSeveralSourcesIsNamedWithItsNumber) {
  plan::Plan plan;
  plan.spec.streams.resize(1);
  plan.spec.streams[0].name = "s";
  plan.spec.streams[0].sources = {mqtt("", "", ""), mqtt(path("ca"), "", "")};
  try {
    plan::require_files(plan, plan::Inputs::leave_out);
    ADD_FAILURE() << "no mistake";
  } catch (const ConfigError& error) {
    ASSERT_EQ(error.diagnostics().size(), 1U);
    EXPECT_THAT(error.diagnostics()[0].message, ::testing::StartsWith("stream 's', source 2: "));
  }
}

TEST_F(RequiredFiles, APipeIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(mistakes(source(spec::SourceKind::file, path("pipe")), {}, ""), IsEmpty());
}

TEST_F(RequiredFiles, AStateDirectoryThatIsAFileIsNamed) {
  EXPECT_THAT(mistakes({}, {}, path("file")),
              ElementsAre("'state_dir' = \"" + path("file") + "\": '" + path("file") + "' is no directory"));
  EXPECT_THAT(mistakes({}, {}, path("file/below/it")),
              ElementsAre("'state_dir' = \"" + path("file/below/it") + "\": '" + path("file") + "' is no directory"));
}

}  // namespace
}  // namespace weir::plan_test
