// Values and times as other programs write them, through the decoders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "decode/decoding.hpp"

namespace weir::decode {
namespace {

using batch::Malformed;
using testing::Decoding;
using ::testing::ElementsAre;
using testing::field;
using testing::key;
using testing::make_stream;

constexpr std::int64_t kNone = kNullUnits;
constexpr std::int64_t kSecond = 1'000'000'000;

spec::Stream csv(std::vector<spec::Field> fields, const std::string& separator = ",") {
  spec::Stream stream = make_stream(spec::FormatKind::csv, {}, std::move(fields));
  stream.sources[0].format.separator = separator;
  return stream;
}

/// The first field of each reading.
std::vector<std::int64_t> firsts(Decoding& decoding) {
  std::vector<std::int64_t> values;
  for (const testing::Row& row : decoding.rows()) values.push_back(row.fields.at(0));
  return values;
}

std::vector<Malformed> reasons(const Decoding& decoding) {
  std::vector<Malformed> reasons;
  for (const testing::Refusal& refusal : decoding.refusals()) reasons.push_back(refusal.reason);
  return reasons;
}

TEST(ValueForms, WordsForAMissingValueAreWholeValues) {
  spec::Stream stream = csv({field("v", 1), field("w", 1)});
  stream.missing = {"NA", "?", "-", "-999"};
  Decoding decoding(stream);
  decoding.file("t,v,w\n1,20,NA\n2,?,40\n3,-1.0,-999\n4,NA,\"-\"\n5,none,1\n6,-999.0,2\n", true);
  EXPECT_THAT(firsts(decoding), ElementsAre(200, kNone, -10, -9990));
  EXPECT_EQ(decoding.rows()[0].fields[1], kNone);
  EXPECT_EQ(decoding.rows()[2].fields[1], kNone);
  EXPECT_THAT(reasons(decoding), ElementsAre(Malformed::missing_field, Malformed::not_a_number));

  spec::Stream json = make_stream(spec::FormatKind::json, {}, {field("v", 1), field("w", 1, "", true)});
  json.missing = {"", "NaN", "-999"};
  Decoding objects(json);
  objects.file(R"({"t":1,"v":"","w":1}
{"t":2,"v":"NaN","w":1}
{"t":3,"v":NaN,"w":1}
{"t":4,"v":-999,"w":1}
{"t":5,"v":-999.0,"w":1}
{"t":6,"v":1,"w":""}
)");
  EXPECT_THAT(firsts(objects), ElementsAre(kNone, kNone, kNone, kNone, -9990));
  EXPECT_THAT(reasons(objects), ElementsAre(Malformed::missing_field));
}

TEST(ValueForms, DecimalCommasAndGroupsOfThree) {
  spec::Stream stream = csv({field("v", 2)}, ";");
  stream.sources[0].format.decimal = ',';
  Decoding commas(stream);
  commas.file("t;v\n1;2,32\n2;-0,5\n3;3\n4;+,5\n5;1,5e1\n6;1.5\n7;1,2,3\n8;,\n9;1e\n", true);
  EXPECT_THAT(firsts(commas), ElementsAre(232, -50, 300, 50, 1500));
  EXPECT_THAT(reasons(commas), ElementsAre(Malformed::not_a_number, Malformed::not_a_number, Malformed::not_a_number,
                                           Malformed::not_a_number));

  stream.sources[0].format.thousands = ".";
  Decoding groups(stream);
  groups.file("t;v\n1;1.408,5\n2;1408,5\n3;-2.001.408\n4;14.08\n5;1408.500\n6;.408\n7;1.408.5\n8;0.123,25\n", true);
  EXPECT_THAT(firsts(groups), ElementsAre(140850, 140850, -200140800, 12325));
  EXPECT_EQ(groups.refusals().size(), 4U);

  for (const std::string thousands : {" ", "\xC2\xA0", "\xE2\x80\xAF", "'"}) {
    stream.sources[0].format.thousands = thousands;
    Decoding blanks(stream);
    blanks.file("t;v\n1;1" + thousands + "408,5\n2;12" + thousands + "34\n", true);
    EXPECT_THAT(firsts(blanks), ElementsAre(140850)) << thousands;
  }

  // What typesetting has in place of a blank and an apostrophe stands for them.
  stream.sources[0].format.thousands = " ";
  Decoding typeset(stream);
  typeset.file("t;v\n1;1 234,5\n2;1\u00A0234,5\n3;1\u202F234\u2009567\n4;1\u2019234\n", true);
  EXPECT_THAT(firsts(typeset), ElementsAre(123450, 123450, 123456700));
  stream.sources[0].format.thousands = "'";
  Decoding swiss(stream);
  swiss.file("t;v\n1;1'234,5\n2;1\u2019234,5\n3;1 234\n", true);
  EXPECT_THAT(firsts(swiss), ElementsAre(123450, 123450));

  // Of JSON only texts: its numbers have a point.
  spec::Stream json = make_stream(spec::FormatKind::json, {}, {field("v", 2)});
  json.sources[0].format.decimal = ',';
  Decoding objects(json);
  objects.file("{\"t\":1,\"v\":\"2,32\"}\n{\"t\":2,\"v\":2.5}\n{\"t\":3,\"v\":\"2.5\"}\n");
  EXPECT_THAT(firsts(objects), ElementsAre(232, 250));
}

TEST(ValueForms, BlanksAroundATextDoNotMatter) {
  spec::Stream stream = make_stream(spec::FormatKind::json, {}, {field("v", 1)});
  const std::string text = R"({"t":1,"v":"2.5\r\n"}
{"t":2,"v":" 2.5"}
{"t":"3 ","v":"2.5"}
{"t":" 1970-01-01T00:00:04Z","v":" NA "}
{"t":5,"v":"2. 5"}
{"t":6,"v":" "}
)";
  Decoding plain(stream);
  plain.file(text);
  EXPECT_THAT(firsts(plain), ElementsAre(25, 25, 25));
  EXPECT_EQ(plain.rows()[2].time, 3 * kSecond);
  EXPECT_EQ(plain.refusals().size(), 3U);
  stream.missing = {"NA", ""};
  stream.schema.fields.push_back(field("t", 0, "t"));
  Decoding forms(stream);
  forms.file(text.substr(0, text.find("{\"t\":\" 1970")) + "{\"t\":4,\"v\":\" NA \"}\n{\"t\":6,\"v\":\" \"}\n");
  EXPECT_THAT(firsts(forms), ElementsAre(25, 25, 25, kNone, kNone));
}

TEST(ValueForms, AUnitBehindTheNumber) {
  spec::Stream stream = csv({field("v", 1)});
  stream.schema.fields[0].strip_unit = true;
  Decoding decoding(stream);
  decoding.file(
      "t,v\n1,23.5 \xC2\xB0"
      "C\n2,51%\n3,-4\xC2\xB0"
      "C\n4,19.5\n5,7 m3\n6,1e2 eV\n7,5 eV\n8,12/min\n",
      true);
  EXPECT_THAT(firsts(decoding), ElementsAre(235, 510, -40, 195, 70, 1000, 50, 120));
  Decoding refused(stream);
  refused.file("t,v\n1,C\n2,1.2.3\n3,2025-03-01\n4,10:15\n5,% 5\n6,5 5\n", true);
  EXPECT_THAT(firsts(refused), ElementsAre());
  EXPECT_EQ(refused.refusals().size(), 6U);
}

TEST(ValueForms, Switches) {
  spec::Stream stream = csv({field("v", 0)});
  stream.schema.fields[0].is_switch = true;
  stream.true_words = {"ON", "open"};
  stream.false_words = {"OFF"};
  Decoding decoding(stream);
  decoding.file("t,v\n1,ON\n2,OFF\n3,open\n4,true\n5,FALSE\n6,1\n7,0.0\n8,on\n9,2\n", true);
  EXPECT_THAT(firsts(decoding), ElementsAre(1, 0, 1, 1, 0, 1, 0));
  EXPECT_THAT(reasons(decoding), ElementsAre(Malformed::not_a_number, Malformed::not_a_number));

  spec::Stream json = make_stream(spec::FormatKind::json, {}, {field("v", 0), field("w", 0)});
  json.schema.fields[0].is_switch = true;
  Decoding objects(json);
  objects.file(
      "{\"t\":1,\"v\":true}\n{\"t\":2,\"v\":false}\n{\"t\":3,\"v\":null,\"w\":1}\n{\"t\":4,\"v\":1,\"w\":true}\n");
  EXPECT_THAT(firsts(objects), ElementsAre(1, 0, kNone));
  EXPECT_THAT(reasons(objects), ElementsAre(Malformed::not_a_number)) << "w is a number";

  spec::Stream pack = make_stream(spec::FormatKind::senml, {}, {field("door", 0), field("t1", 1)});
  pack.time.field.clear();
  pack.schema.fields[0].is_switch = true;
  Decoding records(pack);
  records.file(
      "[{\"bt\":1740823200,\"n\":\"door\",\"vb\":true},{\"n\":\"door\",\"t\":60,\"vb\":false},"
      "{\"n\":\"t1\",\"t\":90,\"vb\":true}]\n");
  EXPECT_THAT(firsts(records), ElementsAre(1, 0));
}

TEST(ValueForms, LenientLeavesOutWhatIsNoNumber) {
  spec::Stream stream = make_stream(spec::FormatKind::json, {}, {field("v", 1), field("w", 1, "", true)});
  const std::string text = R"({"t":1,"v":NaN,"w":1}
{"t":2,"v":-Infinity,"w":1}
{"t":3,"v":[1,2],"w":1}
{"t":4,"v":{"a":1},"w":1}
{"t":5,"v":"n/a","w":1}
{"t":6,"v":true,"w":1}
{"t":7,"v":2.5,"w":nan}
{"t":8,"v":2.5,"w":[1]}
{"t":9,"v":2.5,"w":1}
{"t":10,"v":nul,"w":1}
{"t":11,"v":1e30,"w":1}
)";
  Decoding strict(stream);
  strict.file(text);
  EXPECT_THAT(firsts(strict), ElementsAre(25));
  stream.lenient = true;
  Decoding lenient(stream);
  lenient.file(text);
  EXPECT_THAT(firsts(lenient), ElementsAre(kNone, kNone, kNone, kNone, kNone, kNone, 25));
  EXPECT_THAT(reasons(lenient), ElementsAre(Malformed::not_a_number, Malformed::not_a_number, Malformed::bad_payload,
                                            Malformed::out_of_range));
}

TEST(ValueForms, ATimeInSeveralColumnsOrMembers) {
  spec::Stream stream = csv({field("v", 0)}, ";");
  stream.time.field = "date";
  stream.time.more_fields = {"time"};
  stream.time.unit = TimeUnit::format;
  stream.time.format = "%d/%m/%Y %H.%M.%S";
  Decoding decoding(stream);
  decoding.file("time;v;date\n10.00.00;1;01/03/2025\n;2;01/03/2025\n10.30.15;3;\n10.30.15;4;01/03/2025\n11;5;x\n",
                true);
  ASSERT_EQ(decoding.rows().size(), 2U);
  EXPECT_EQ(decoding.rows()[0].time, 1'740'823'200 * kSecond);
  EXPECT_EQ(decoding.rows()[1].time, (1'740'823'200 + 1815) * kSecond);
  EXPECT_THAT(reasons(decoding), ElementsAre(Malformed::missing_time, Malformed::missing_time, Malformed::bad_time));

  spec::Stream json = make_stream(spec::FormatKind::json, {key("id")}, {field("v", 0)});
  json.time.field = "/at/y";
  json.time.more_fields = {"/at/m", "/at/d"};
  json.time.unit = TimeUnit::format;
  json.time.format = "%Y %m %d";
  Decoding objects(json);
  objects.file(
      "{\"at\":{\"y\":2025,\"m\":3,\"d\":\"1\"},\"id\":\"a\",\"v\":1}\n{\"at\":{\"y\":2025,\"m\":3},\"id\":\"a\",\"v\":"
      "1}\n");
  ASSERT_EQ(objects.rows().size(), 1U);
  EXPECT_EQ(objects.rows()[0].time, 1'740'787'200 * kSecond);
  EXPECT_THAT(reasons(objects), ElementsAre(Malformed::missing_time));
}

TEST(ValueForms, LinesBeforeAndBehindTheHeader) {
  spec::Stream stream = csv({field("v", 0)});
  stream.sources[0].format.skip = 2;
  stream.sources[0].format.skip_after_header = 1;
  Decoding decoding(stream);
  const std::string text = "Export of \"station 7\n\nt,v\n,unit\n1,10\n2,20\n";
  decoding.file(text, true).file("3,30\n").file(text, true);
  EXPECT_THAT(firsts(decoding), ElementsAre(10, 20, 30, 10, 20));
  EXPECT_EQ(decoding.received(), 5U) << "what is skipped is no reading";

  stream.sources[0].format.columns = {"t", "v"};
  Decoding named(stream);
  named.file("a\nb\nc\n1,10\n", true);
  EXPECT_THAT(firsts(named), ElementsAre(10)) << "without a header both are in front of the first row";
}

TEST(ValueForms, ADecoderGoesOnInTheSecondHour) {
  spec::Stream stream = csv({field("v", 0)});
  stream.time.unit = TimeUnit::rfc3339;
  stream.time.zone = "Europe/Berlin";
  stream.time.overlap = Overlap::order;
  std::string state;
  Decoding decoding(stream);
  decoding.file("t,v\n2025-10-26 02:30:00,1\n2025-10-26 02:10:00,2\n", true);
  decoding.save(state);
  Decoding after(stream);
  after.load(state);
  after.file("2025-10-26 02:40:00,3\n");
  ASSERT_EQ(after.rows().size(), 1U);
  EXPECT_EQ(after.rows()[0].time, 1'761'442'800 * kSecond);
}

}  // namespace
}  // namespace weir::decode
