#include "state/serial.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace weir::state {
namespace {

TEST(Serial, ValuesComeBackAsTheyWere) {
  const Int128 wide = (static_cast<Int128>(-5) << 100) + 12345;
  Writer out;
  out.u8(255);
  out.u32(0xDEADBEEF);
  out.u64(std::numeric_limits<std::uint64_t>::max());
  out.i64(std::numeric_limits<std::int64_t>::min());
  out.i128(wide);
  out.f64(-0.0);
  out.text("");
  out.text(std::string_view("a\0b", 3));
  out.raw("xyz", 3);
  const std::string bytes = out.take();

  Reader in(bytes);
  EXPECT_EQ(in.u8(), 255);
  EXPECT_EQ(in.u32(), 0xDEADBEEF);
  EXPECT_EQ(in.u64(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(in.i64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE(in.i128() == wide);
  EXPECT_TRUE(std::signbit(in.f64()));
  EXPECT_EQ(in.text(), "");
  EXPECT_EQ(in.text(), std::string_view("a\0b", 3));
  char raw[3];
  in.raw(raw, 3);
  EXPECT_EQ(std::string_view(raw, 3), "xyz");
  EXPECT_TRUE(in.at_end());
}

TEST(Serial, BytesAreLittleEndianOnEveryMachine) {
  Writer out;
  out.u32(0x04030201);
  out.i64(-2);
  out.text("hi");
  EXPECT_EQ(out.bytes(), std::string("\x01\x02\x03\x04"
                                     "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
                                     "\x02\0\0\0\0\0\0\0hi",
                                     22));
}

/// By division, one digit of the pattern after the other.
std::string varint_by_hand(std::uint64_t value) {
  std::size_t bytes = 1;
  while (bytes < 9 && (bytes * 7 < 64) && value / (std::uint64_t{1} << (bytes * 7)) != 0) ++bytes;
  if (bytes > 8) {
    std::string text(1, '\0');
    for (int i = 0; i < 8; ++i, value /= 256) text.push_back(static_cast<char>(value % 256));
    return text;
  }
  std::string bits = std::string(bytes - 1, '0') + "1";  // lowest bit first
  for (std::size_t i = 0; i < bytes * 7; ++i, value /= 2) bits.push_back(value % 2 == 1 ? '1' : '0');
  std::string text;
  for (std::size_t at = 0; at < bits.size(); at += 8) {
    int byte = 0;
    for (std::size_t i = 8; i-- > 0;) byte = byte * 2 + (bits[at + i] == '1' ? 1 : 0);
    text.push_back(static_cast<char>(byte));
  }
  return text;
}

TEST(Serial, ANumberOfVariableLengthTakesAsFewBytesAsHoldIt) {
  std::vector<std::uint64_t> values{0, 1, 127, 128, 300, std::numeric_limits<std::uint64_t>::max()};
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    values.insert(values.end(), {power - 1, power, power + 1, power | 0x5555'5555'5555'5555U >> (63 - bit)});
  }
  Writer all;
  std::string expected;
  for (const std::uint64_t value : values) {
    Writer one;
    one.varint(value);
    ASSERT_EQ(one.bytes(), varint_by_hand(value)) << value;
    for (std::size_t length = 0; length < one.size(); ++length) {
      Reader cut(one.bytes().substr(0, length));
      EXPECT_THROW(cut.varint(), Error) << value;
      EXPECT_EQ(cut.remaining(), length);
    }
    Reader in(one.bytes());
    EXPECT_EQ(in.varint(), value);
    EXPECT_TRUE(in.at_end());
    all.varint(value);
    expected += varint_by_hand(value);
  }
  EXPECT_EQ(all.bytes(), expected);
  Reader in(all.bytes());
  for (const std::uint64_t value : values) ASSERT_EQ(in.varint(), value);
  EXPECT_TRUE(in.at_end());
}

TEST(Serial, ZigzagPutsSmallNumbersFirst) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(zigzag(0), 0U);
  EXPECT_EQ(zigzag(-1), 1U);
  EXPECT_EQ(zigzag(1), 2U);
  EXPECT_EQ(zigzag(kMost), std::numeric_limits<std::uint64_t>::max() - 1);
  EXPECT_EQ(zigzag(kLeast), std::numeric_limits<std::uint64_t>::max());
  for (const std::int64_t value : {kLeast, kLeast + 1, std::int64_t{-2}, std::int64_t{0}, std::int64_t{7}, kMost}) {
    EXPECT_EQ(unzigzag(zigzag(value)), value);
  }
}

TEST(Serial, AnEarlyEndIsAnError) {
  Writer out;
  out.u64(1);
  out.text("abc");
  out.i128(7);
  for (std::size_t length = 0; length < out.size(); ++length) {
    Reader in(std::string_view(out.bytes()).substr(0, length));
    EXPECT_THROW(
        {
          in.u64();
          in.text();
          in.i128();
        },
        Error)
        << length;
  }
}

TEST(Serial, ADamagedLengthIsRefusedBeforeAnythingIsAllocated) {
  Writer out;
  out.u64(std::numeric_limits<std::uint64_t>::max());
  EXPECT_THROW(Reader(out.bytes()).text(), Error);
  EXPECT_THROW(Reader(out.bytes()).count(1), Error);
  Writer four;
  four.u64(4);
  four.raw("12345678901234567890123456789012", 32);
  EXPECT_EQ(Reader(four.bytes()).count(8), 4U);
  EXPECT_THROW(Reader(four.bytes()).count(9), Error);
}

TEST(Serial, AFailedReadTakesNothing) {
  Reader in(std::string_view("\x05\0\0\0\0\0\0", 7));
  EXPECT_THROW(in.u64(), Error);
  EXPECT_EQ(in.remaining(), 7U);
}

}  // namespace
}  // namespace weir::state
