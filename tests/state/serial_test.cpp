#include "state/serial.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

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
