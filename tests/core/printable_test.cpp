#include "core/printable.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir {
namespace {

TEST(Printable, PlainTextStaysAsItIs) {
  EXPECT_EQ(printable(""), "");
  EXPECT_EQ(printable("line A, 21.5 °C, 温度, \xF0\x9F\x8C\xA1, \"quoted\", {}%s"),
            "line A, 21.5 °C, 温度, \xF0\x9F\x8C\xA1, \"quoted\", {}%s");
}

TEST(Printable, EveryControlCharacterIsEscaped) {
  for (int byte = 0; byte < 0x20; ++byte) {
    const std::string text = printable(std::string(1, static_cast<char>(byte)));
    EXPECT_EQ(text.size(), 4U) << byte;
    EXPECT_EQ(std::stoi(text.substr(2), nullptr, 16), byte);
  }
  EXPECT_EQ(printable("\x1B[2J\x7F"), "\\x1b[2J\\x7f");
  EXPECT_EQ(printable("a\nb\r\tc"), "a\\x0ab\\x0d\\x09c");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(Printable, ControlCharactersOfTwoBytesAreEscaped) {
  EXPECT_EQ(printable("\xC2\x80 \xC2\x9B \xC2\x9F"), "\\u0080 \\u009b \\u009f");
  EXPECT_EQ(printable("\xC2\xA0"), "\xC2\xA0");  // no-break space
}

TEST(Printable, MarksThatTurnTheDirectionOfWritingAreEscaped) {
  EXPECT_EQ(printable("\u202A\u202B\u202C\u202D\u202E"), "\\u202a\\u202b\\u202c\\u202d\\u202e");
  EXPECT_EQ(printable("\u2066\u2067\u2068\u2069"), "\\u2066\\u2067\\u2068\\u2069");
  EXPECT_EQ(printable("\u200E\u200F\u061C"), "\\u200e\\u200f\\u061c");
  EXPECT_EQ(printable("\u2028\u2029"), "\\u2028\\u2029");
  EXPECT_EQ(printable("\u2027\u202F\u2065\u206A"), "\u2027\u202F\u2065\u206A");
}

TEST(Printable, BytesThatAreNoUtf8AreEscapedOneByOne) {
  EXPECT_EQ(printable("caf\xE9"), "caf\\xe9");
  EXPECT_EQ(printable("\xFF\xFE"), "\\xff\\xfe");
  EXPECT_EQ(printable("\xE2\x80"), "\\xe2\\x80");           // cut off
  EXPECT_EQ(printable("\xC0\xAF"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(printable("\x9B"), "\\x9b");
}

TEST(Printable, EscapedTextIsNotEscapedAgain) {
  const std::string once = printable("\x1B\xFF\u202E\\");
  EXPECT_EQ(printable(once), once);
}

TEST(Printable, AppendStopsBeforeACharacterThatDoesNotFit) {
  std::string out = "> ";
  EXPECT_TRUE(append_printable(out, "abc", 3));
  EXPECT_EQ(out, "> abc");
  EXPECT_FALSE(append_printable(out, "d\nf", 4));
  EXPECT_EQ(out, "> abcd");
  EXPECT_FALSE(append_printable(out, "\xC3\xA9", 1));
  EXPECT_EQ(out, "> abcd");
}

}  // namespace
}  // namespace weir
