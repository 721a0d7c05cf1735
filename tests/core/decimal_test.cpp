#include "core/decimal.hpp"

#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <string_view>

namespace weir {

void PrintTo(const ParsedDecimal& parsed, std::ostream* out) {
  *out << parsed.units << " status " << static_cast<int>(parsed.status);
}
bool operator==(const ParsedDecimal& a, const ParsedDecimal& b) {
  return a.units == b.units && a.status == b.status;
}

namespace {

using boost::multiprecision::cpp_int;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

constexpr ParsedDecimal ok(std::int64_t units) {
  return {units, DecimalStatus::ok};
}
constexpr ParsedDecimal rounded(std::int64_t units) {
  return {units, DecimalStatus::rounded};
}
constexpr ParsedDecimal kNotANumber = {0, DecimalStatus::not_a_number};
constexpr ParsedDecimal kOutOfRange = {0, DecimalStatus::out_of_range};

/// The definition, in integers of any size: strips the text with std::string and rounds half to even by remainder.
ParsedDecimal oracle(std::string text, int places) {
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    text.erase(0, 1);
  }
  int exponent = places;
  if (const auto e = text.find_first_of("eE"); e != std::string::npos) {
    exponent += std::atoi(text.c_str() + e + 1);
    text.erase(e);
  }
  if (const auto point = text.find('.'); point != std::string::npos) {
    exponent -= static_cast<int>(text.size() - point - 1);
    text.erase(point, 1);
  }
  text.erase(0, text.find_first_not_of('0') == std::string::npos ? text.size() - 1 : text.find_first_not_of('0'));
  cpp_int numerator(text);
  cpp_int denominator = 1;
  (exponent >= 0 ? numerator : denominator) *=
      boost::multiprecision::pow(cpp_int(10), static_cast<unsigned>(std::abs(exponent)));
  cpp_int quotient = numerator / denominator;
  const cpp_int twice = (numerator % denominator) * 2;
  if (twice > denominator || (twice == denominator && quotient % 2 == 1)) {
    ++quotient;
  }
  if (quotient > kMax) {
    return kOutOfRange;
  }
  const auto units = static_cast<std::int64_t>(quotient);
  return {negative ? -units : units, twice == 0 ? DecimalStatus::ok : DecimalStatus::rounded};
}

TEST(Decimal, Parse_PlainNumbers) {
  EXPECT_EQ(parse_decimal("21.37", 3), ok(21'370));
  EXPECT_EQ(parse_decimal("-21.37", 2), ok(-2'137));
  EXPECT_EQ(parse_decimal("+21.37", 2), ok(2'137));
  EXPECT_EQ(parse_decimal("0", 0), ok(0));
  EXPECT_EQ(parse_decimal("-0.000", 6), ok(0));
  EXPECT_EQ(parse_decimal(".5", 1), ok(5));
  EXPECT_EQ(parse_decimal("5.", 1), ok(50));
  EXPECT_EQ(parse_decimal("-.5", 1), ok(-5));
  EXPECT_EQ(parse_decimal("000000000000000000000000000000007", 0), ok(7));
}

TEST(Decimal, Parse_Exponents) {
  EXPECT_EQ(parse_decimal("1.5e3", 0), ok(1'500));
  EXPECT_EQ(parse_decimal("1500E-3", 1), ok(15));
  EXPECT_EQ(parse_decimal("5.e+1", 0), ok(50));
  EXPECT_EQ(parse_decimal("1e400", 0), kOutOfRange);
  EXPECT_EQ(parse_decimal("-1e-400", 6), rounded(0));
  EXPECT_EQ(parse_decimal("0e999999", 6), ok(0));
  EXPECT_EQ(parse_decimal("0.000e99999999999999999999999999", 6), ok(0));
  EXPECT_EQ(parse_decimal("1e99999999999999999999999999", 6), kOutOfRange);
  EXPECT_EQ(parse_decimal("1e-99999999999999999999999999", 6), rounded(0));
  EXPECT_EQ(parse_decimal("0." + std::string(999, '0') + "1e1000", 0), ok(1));
  EXPECT_EQ(parse_decimal("1" + std::string(1000, '0') + "e-1000", 0), ok(1));
  EXPECT_EQ(parse_decimal("1e00000000000000000000000000002", 0), ok(100));
}

TEST(Decimal, Parse_RoundsHalfToEvenHoweverLongTheTail) {
  EXPECT_EQ(parse_decimal("0.5", 0), rounded(0));
  EXPECT_EQ(parse_decimal("1.5", 0), rounded(2));
  EXPECT_EQ(parse_decimal("2.5", 0), rounded(2));
  EXPECT_EQ(parse_decimal("-2.5", 0), rounded(-2));
  EXPECT_EQ(parse_decimal("-3.5", 0), rounded(-4));
  EXPECT_EQ(parse_decimal("0.51", 0), rounded(1));
  EXPECT_EQ(parse_decimal("0.49999999999999999999999999999999999", 0), rounded(0));
  const std::string zeros(5'000, '0');
  EXPECT_EQ(parse_decimal("0.0000005" + zeros, 6), rounded(0));
  EXPECT_EQ(parse_decimal("0.0000005" + zeros + "1", 6), rounded(1));
  EXPECT_EQ(parse_decimal("1.2345" + zeros, 4), ok(12'345));
  EXPECT_EQ(parse_decimal("0.05", 0), rounded(0));
  EXPECT_EQ(parse_decimal(".5000000000000000000", 0), rounded(0));
  EXPECT_EQ(parse_decimal(".5000000000000000001", 0), rounded(1));
  EXPECT_EQ(parse_decimal(".0000000000000000000", 0), ok(0));
  EXPECT_EQ(parse_decimal("0.95", 0), rounded(1));
}

TEST(Decimal, Parse_TheRangeEndsAtTheLargest64BitInteger) {
  EXPECT_EQ(parse_decimal("9223372036854775807", 0), ok(kMax));
  EXPECT_EQ(parse_decimal("-9223372036854775807", 0), ok(-kMax));
  EXPECT_EQ(parse_decimal("9223372036854775808", 0), kOutOfRange);
  EXPECT_EQ(parse_decimal("9.223372036854775807", 18), ok(kMax));
  EXPECT_EQ(parse_decimal("9.223372036854775808", 18), kOutOfRange);
  EXPECT_EQ(parse_decimal("9223372036854775807.4999", 0), rounded(kMax));
  EXPECT_EQ(parse_decimal("9223372036854775807.5", 0), kOutOfRange);
  EXPECT_EQ(parse_decimal("9999999999999999999", 0), kOutOfRange);
  EXPECT_EQ(parse_decimal("18446744073709551616", 0), kOutOfRange);
  EXPECT_EQ(parse_decimal("99999999999999999999", 0), kOutOfRange);
  EXPECT_EQ(parse_decimal("999999999999999999999", 0), kOutOfRange);
  EXPECT_EQ(parse_decimal("10", 18), kOutOfRange);
  EXPECT_EQ(parse_decimal("9.2", 18), ok(9'200'000'000'000'000'000));
}

TEST(Decimal, Parse_TheNullValueIsOutOfRange) {
  ASSERT_EQ(std::to_string(kNullUnits), "-9223372036854775808");
  EXPECT_EQ(parse_decimal("-9223372036854775808", 0), kOutOfRange);
  EXPECT_EQ(parse_decimal("-9223372036854.775808", 6), kOutOfRange);
  EXPECT_EQ(parse_decimal("-9223372036854775807.6", 0), kOutOfRange);
}

TEST(Decimal, Parse_RefusesWhatIsNoNumber) {
  for (const std::string_view text :
       {"",      "-",     "+",     ".",    "-.",       "e5", ".e5",   "1e",           "1e+", "1e-",
        "1e+-1", "1e1.5", "1.2.3", "--1",  "+-1",      "1-", " 1",    "1 ",           "1,5", "0x10",
        "nan",   "NaN",   "inf",   "-inf", "Infinity", "1f", "1_000", "\xef\xbc\x91", "1\n"}) {
    EXPECT_EQ(parse_decimal(text, 6), kNotANumber) << text;
  }
  EXPECT_EQ(parse_decimal(std::string_view("1\0", 2), 6), kNotANumber);
  EXPECT_EQ(parse_decimal(std::string_view(), 6), kNotANumber);
}

TEST(Decimal, Parse_EveryByteNextToADigitIsRefusedUnlessItIsPartOfANumber) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    const bool digit = c >= '0' && c <= '9';
    const std::string after = std::string("12") + c;
    EXPECT_EQ(parse_decimal(after, 2).status == DecimalStatus::ok, digit || c == '.') << byte;
    const std::string between = std::string("1") + c + "2";
    EXPECT_EQ(parse_decimal(between, 2).status == DecimalStatus::ok, digit || c == '.' || c == 'e' || c == 'E') << byte;
  }
}

TEST(Decimal, Parse_AgreesWithIntegersOfAnySize) {
  std::mt19937_64 random(1);
  const auto up_to = [&random](std::size_t n) { return static_cast<std::size_t>(random() % (n + 1)); };
  const auto digits = [&](std::size_t n) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) {
      // Runs of 0, 5 and 9 make ties and carries.
      out += "0000555999123456789"[up_to(18)];
    }
    return out;
  };
  for (int i = 0; i < 40'000; ++i) {
    std::string text = i % 3 == 0 ? "-" : "";
    const std::string whole = digits(up_to(22));
    text += whole;
    if (up_to(3) != 0 || whole.empty()) {
      text += "." + digits(up_to(24) + (whole.empty() ? 1 : 0));
    }
    if (up_to(3) == 0) {
      text += "e" + std::to_string(static_cast<int>(up_to(60)) - 30);
    }
    const auto places = static_cast<int>(up_to(18));
    ASSERT_EQ(parse_decimal(text, places), oracle(text, places)) << text << " places " << places;
    ASSERT_EQ(parse_decimal_any(text, places), oracle(text, places)) << text << " places " << places;
  }
}

std::string printed(Int128 units, int places) {
  std::string out = "x";
  append_decimal(out, units, places);
  return out.substr(1);
}

TEST(Decimal, Append_IsTheShortestExactDecimal) {
  EXPECT_EQ(printed(0, 0), "0");
  EXPECT_EQ(printed(0, 18), "0");
  EXPECT_EQ(printed(21'370, 3), "21.37");
  EXPECT_EQ(printed(-21'370, 3), "-21.37");
  EXPECT_EQ(printed(100, 0), "100");
  EXPECT_EQ(printed(100, 2), "1");
  EXPECT_EQ(printed(100, 3), "0.1");
  EXPECT_EQ(printed(-1, 3), "-0.001");
  EXPECT_EQ(printed(5, 1), "0.5");
  EXPECT_EQ(printed(105, 2), "1.05");
  EXPECT_EQ(printed(kMax, 18), "9.223372036854775807");
  EXPECT_EQ(printed(kNullUnits, 0), "-9223372036854775808");
}

TEST(Decimal, Append_HoldsThe128BitExtremes) {
  const Int128 largest = static_cast<Int128>(~UInt128{0} >> 1U);
  EXPECT_EQ(printed(largest, 0), "170141183460469231731687303715884105727");
  EXPECT_EQ(printed(-largest - 1, 0), "-170141183460469231731687303715884105728");
  EXPECT_EQ(printed(-largest - 1, 18), "-170141183460469231731.687303715884105728");
}

TEST(Decimal, Append_ReadsBackToTheSameUnits) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 50'000; ++i) {
    const auto places = static_cast<int>(random() % 19);
    auto units = static_cast<std::int64_t>(random()) >> (random() % 64);
    if (i % 4 == 0) {
      units = units / 1'000 * 1'000;
    }
    if (units == kNullUnits) {
      continue;
    }
    const std::string text = printed(units, places);
    ASSERT_EQ(parse_decimal(text, places), ok(units)) << text;
    ASSERT_FALSE(text.find('.') != std::string::npos && text.back() == '0') << text;
  }
}

std::string printed(double value) {
  std::string out = "x";
  append_double(out, value);
  return out.substr(1);
}

TEST(Double, Append_IntegersHaveNoFraction) {
  EXPECT_EQ(printed(21.0), "21");
  EXPECT_EQ(printed(-21.0), "-21");
  EXPECT_EQ(printed(100'000.0), "100000");
  EXPECT_EQ(printed(999'999'999'999'999.0), "999999999999999");
  EXPECT_EQ(printed(0.0), "0");
  EXPECT_EQ(printed(-0.0), "0");
}

TEST(Double, Append_FewestDigitsThatReadBack) {
  EXPECT_EQ(printed(0.1), "0.1");
  EXPECT_EQ(printed(12.25), "12.25");
  EXPECT_EQ(printed(1.0 / 3.0), "0.3333333333333333");
  EXPECT_EQ(printed(0.001), "0.001");
  EXPECT_EQ(printed(1e-6), "0.000001");
  EXPECT_EQ(printed(1e-7), "1e-07");
  EXPECT_EQ(printed(1e15), "1e+15");
  EXPECT_EQ(printed(1e20), "1e+20");
  EXPECT_EQ(printed(-1.7976931348623157e308), "-1.7976931348623157e+308");
  EXPECT_EQ(printed(5e-324), "5e-324");
}

TEST(Double, Append_ReadsBackToTheSameBits) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 50'000; ++i) {
    const double value = i % 2 == 0 ? std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 200) - 140)
                                    : static_cast<double>(random() % 1'000'000'000) / 1000.0;
    const std::string text = printed(value);
    double back = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), back);
    ASSERT_EQ(result.ptr, text.data() + text.size()) << text;
    ASSERT_EQ(back, value) << text;
  }
}

TEST(Double, FromUnits_IsOneDivision) {
  EXPECT_EQ(decimal_to_double(21'370, 3), 21.37);
  EXPECT_EQ(decimal_to_double(-1, 18), -1e-18);
  EXPECT_EQ(decimal_to_double(kMax, 0), 0x1p63);
  EXPECT_EQ(decimal_to_double(0, 6), 0.0);
}

TEST(Double, ToUnits_RoundsHalfToEven) {
  EXPECT_EQ(double_to_units(0.5, 0), 0);
  EXPECT_EQ(double_to_units(1.5, 0), 2);
  EXPECT_EQ(double_to_units(-2.5, 0), -2);
  EXPECT_EQ(double_to_units(0.125, 2), 12);
  EXPECT_EQ(double_to_units(0.375, 2), 38);
  EXPECT_EQ(double_to_units(-0.0, 6), 0);
}

TEST(Double, ToUnits_IsNullWhereItDoesNotFit) {
  EXPECT_EQ(double_to_units(0x1p63, 0), kNullUnits);
  EXPECT_EQ(double_to_units(-0x1p63, 0), kNullUnits);
  EXPECT_EQ(double_to_units(std::nextafter(0x1p63, 0.0), 0), kMax - 1023);
  EXPECT_EQ(double_to_units(10.0, 18), kNullUnits);
  EXPECT_EQ(double_to_units(std::numeric_limits<double>::infinity(), 0), kNullUnits);
  EXPECT_EQ(double_to_units(-std::numeric_limits<double>::infinity(), 3), kNullUnits);
  EXPECT_EQ(double_to_units(std::numeric_limits<double>::quiet_NaN(), 3), kNullUnits);
  EXPECT_EQ(double_to_units(std::numeric_limits<double>::max(), 18), kNullUnits);
}

}  // namespace
}  // namespace weir
