// The public sensor data that the project is measured with, where it is present: every line against a reader that knows
// nothing but that file's own layout.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>

#include "decode/decoding.hpp"

namespace weir::decode {
namespace {

using testing::Decoding;
using testing::field;
using testing::key;
using testing::Row;

constexpr std::int64_t kSecond = 1'000'000'000;

std::string read(const std::string& name) {
  const char* const configured = std::getenv("WEIR_DATA_DIR");
  const std::filesystem::path directory = configured != nullptr ? configured : WEIR_DEFAULT_DATA_DIR;
  std::ifstream file(directory / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// "68.451" as 68451, for text with exactly `places` places or none.
std::int64_t units(std::string text, std::size_t places) {
  const std::size_t point = text.find('.');
  if (point == std::string::npos) {
    text += std::string(places, '0');
  } else {
    text += std::string(places - (text.size() - point - 1), '0');
    text.erase(point, 1);
  }
  return std::stoll(text);
}

TEST(RealData, SmartPlugs) {
  const std::string text = read("smartgrid-debs2014.txt");
  if (text.empty()) {
    GTEST_SKIP() << "smartgrid-debs2014.txt is not there";
  }
  std::vector<Row> expected;
  std::istringstream lines(text);
  std::string ts, value, property, plug, household, house;
  while (lines >> ts >> value >> property >> plug >> household >> house) {
    expected.push_back({std::stoll(ts) * kSecond, {house, household, plug}, {units(value, 3), std::stoll(property)}});
  }
  ASSERT_EQ(expected.size(), 33'628U);
  spec::Stream stream = testing::make_stream(spec::FormatKind::csv, {key("house"), key("household"), key("plug")},
                                             {field("value", 3), field("property", 0)});
  stream.time.field = "ts";
  stream.sources[0].format.separator = " ";
  stream.sources[0].format.columns = {"ts", "value", "property", "plug", "household", "house"};
  Decoding decoding(stream, 4096);
  decoding.file(text, true);
  EXPECT_TRUE(decoding.refusals().empty());
  EXPECT_EQ(decoding.rounded(), 0U);
  EXPECT_EQ(decoding.rows(), expected);
  std::set<std::vector<std::string>> plugs;
  for (const Row& row : decoding.rows()) {
    plugs.insert(row.keys);
  }
  EXPECT_EQ(plugs.size(), 470U);
}

/// The text of member `name` in the record that has `"n":"<record>"`, from a line of this file's own spelling.
std::string member(const std::string& line, const std::string& record, const std::string& name) {
  const std::size_t at = line.find("\"n\":\"" + record + "\"");
  if (at == std::string::npos) {
    return {};
  }
  const std::size_t begin = line.rfind('{', at);
  const std::string object = line.substr(begin, line.find('}', at) - begin);
  const std::size_t value = object.find("\"" + name + "\":\"") + name.size() + 4;
  return object.substr(value, object.find('"', value) - value);
}

TEST(RealData, SenseYourCity) {
  const std::string text = read("riotbench-sys-senml.csv");
  if (text.empty()) {
    GTEST_SKIP() << "riotbench-sys-senml.csv is not there";
  }
  // Places for the longest value of each, e.g. 31.299999999999997.
  const std::vector<std::pair<std::string, int>> names{{"longitude", 15}, {"latitude", 15}, {"temperature", 15},
                                                       {"humidity", 15},  {"light", 2},     {"dust", 2}};
  std::vector<Row> expected;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    Row row;
    row.time = std::stoll(line.substr(0, line.find(','))) * 1'000'000;
    row.keys = {member(line, "source", "sv")};
    for (const auto& [name, places] : names) {
      row.fields.push_back(units(member(line, name, "v"), static_cast<std::size_t>(places)));
    }
    expected.push_back(row);
  }
  ASSERT_EQ(expected.size(), 1000U);
  spec::Stream stream = testing::make_stream(spec::FormatKind::senml, {key("source")}, {});
  stream.time = {};
  for (const auto& [name, places] : names) {
    stream.schema.fields.push_back(field(name, places));
  }
  Decoding decoding(stream, 100);
  decoding.file(text, true);
  EXPECT_TRUE(decoding.refusals().empty());
  EXPECT_EQ(decoding.rows(), expected);
}

}  // namespace
}  // namespace weir::decode
