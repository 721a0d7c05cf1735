#include <gtest/gtest.h>

#include "decode/decoding.hpp"

namespace weir::decode {
namespace {

using batch::Malformed;
using testing::Decoding;
using testing::field;
using testing::key;
using testing::Refusal;
using testing::Row;

spec::Stream raw_stream() {
  spec::Stream stream =
      testing::make_stream(spec::FormatKind::raw, {key("machine")}, {field("value")}, spec::SourceKind::mqtt);
  stream.time.arrival = true;
  stream.sources[0].topics = {"plant/{machine}/temperature"};
  return stream;
}

TEST(RawDecoder, PayloadIsOneNumber) {
  Decoding decoding(raw_stream());
  decoding.topic("plant/m1/temperature", "21.37").topic("plant/m2/temperature", " -4 \r\n");
  EXPECT_EQ(decoding.rows(),
            (std::vector<Row>{{Decoding::kArrival, {"m1"}, {21'370}}, {Decoding::kArrival, {"m2"}, {-4'000}}}));
}

TEST(RawDecoder, RefusesWhatIsNoNumber) {
  Decoding decoding(raw_stream());
  for (const char* const payload : {"", "  ", "warm", "21.5 C", "nan", "1,5"}) {
    decoding.topic("plant/m1/temperature", payload);
    EXPECT_EQ(decoding.refusals().back(), (Refusal{Malformed::not_a_number, payload}));
  }
  decoding.topic("plant/m1/temperature", "1e30");
  EXPECT_EQ(decoding.refusals().back(), (Refusal{Malformed::out_of_range, "1e30"}));
  decoding.topic("elsewhere", "21");
  EXPECT_EQ(decoding.refusals().back(), (Refusal{Malformed::missing_key, "21"}));
  EXPECT_TRUE(decoding.rows().empty());
}

TEST(RawDecoder, EachLineOfAFileIsOneReading) {
  spec::Stream stream = testing::make_stream(spec::FormatKind::raw, {}, {field("value", 1)});
  stream.time.arrival = true;
  Decoding decoding(stream);
  decoding.file("1.25\r\n\n2\n3", true);
  ASSERT_EQ(decoding.rows().size(), 3U);
  EXPECT_EQ(decoding.rows()[0].fields[0], 12);
  EXPECT_EQ(decoding.rows()[2].fields[0], 30);
  EXPECT_EQ(decoding.rounded(), 1U);
}

TEST(Decoder, MessageThatItsSourceRefusedIsOneMalformedReading) {
  for (const spec::FormatKind format :
       {spec::FormatKind::json, spec::FormatKind::csv, spec::FormatKind::senml, spec::FormatKind::raw}) {
    Decoding decoding(testing::make_stream(format, {}, {field("value")}));
    batch::MessageView message;
    message.payload = "t,value\n1,2\n1,3\n";
    message.refused = Malformed::too_large;
    decoding.decode(message).finish();
    EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::too_large, "t,value\n1,2\n1,3\n"}}));
    EXPECT_EQ(decoding.received(), 1U);
    EXPECT_TRUE(decoding.rows().empty());
  }
}

TEST(RawDecoder, DeclaredTimeIsMissing) {
  Decoding decoding(testing::make_stream(spec::FormatKind::raw, {}, {field("value")}));
  decoding.file("1\n");
  EXPECT_EQ(decoding.refusals(), (std::vector<Refusal>{{Malformed::missing_time, "1"}}));
}

}  // namespace
}  // namespace weir::decode
