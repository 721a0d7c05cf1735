#include "source/text_form.hpp"

#include <algorithm>
#include <array>

namespace weir::source {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kGzip = "\x1F\x8B"sv;                  // RFC 1952
constexpr std::string_view kZstd = "\x28\xB5\x2F\xFD"sv;          // RFC 8878, 3.1.1
constexpr std::string_view kZstdSkippableEnd = "\x2A\x4D\x18"sv;  // 3.1.2: behind a byte 0x50 to 0x5F
constexpr std::string_view kLittleEndianMark = "\xFF\xFE"sv;
constexpr std::string_view kBigEndianMark = "\xFE\xFF"sv;

enum class Fit : std::uint8_t { no, yes, perhaps };

Fit fit(std::string_view front, std::string_view magic, bool end) noexcept {
  if (front.starts_with(magic)) {
    return Fit::yes;
  }
  return !end && magic.starts_with(front) ? Fit::perhaps : Fit::no;
}

}  // namespace

std::optional<Compression> compression_of(std::string_view front, bool end) noexcept {
  const Fit gzip = fit(front, kGzip, end);
  const Fit zstd = fit(front, kZstd, end);
  const bool skippable = !front.empty() && front[0] >= '\x50' && front[0] <= '\x5F';
  const Fit skipped = skippable ? fit(front.substr(1), kZstdSkippableEnd, end) : Fit::no;
  if (gzip == Fit::yes) {
    return Compression::gzip;
  }
  if (zstd == Fit::yes || skipped == Fit::yes) {
    return Compression::zstd;
  }
  if (gzip == Fit::perhaps || zstd == Fit::perhaps || skipped == Fit::perhaps) {
    return std::nullopt;
  }
  return Compression::none;
}

std::optional<spec::TextEncoding> encoding_of(std::string_view front, bool end) noexcept {
  const Fit little = fit(front, kLittleEndianMark, end);
  const Fit big = fit(front, kBigEndianMark, end);
  if (little == Fit::yes) {
    return spec::TextEncoding::utf16le;
  }
  if (big == Fit::yes) {
    return spec::TextEncoding::utf16be;
  }
  if (little == Fit::perhaps || big == Fit::perhaps) {
    return std::nullopt;
  }
  // Two characters of ASCII have a zero byte each, all before or all behind.
  bool zeros_behind = true;
  bool zeros_before = true;
  const std::size_t looked_at = std::min(front.size(), kFormBytes);
  for (std::size_t i = 0; i < looked_at; ++i) {
    zeros_behind &= (front[i] == '\0') == (i % 2 == 1);
    zeros_before &= (front[i] == '\0') == (i % 2 == 0);
  }
  if (!zeros_behind && !zeros_before) {
    return spec::TextEncoding::utf8;
  }
  if (looked_at < kFormBytes) {
    return end ? std::optional(spec::TextEncoding::utf8) : std::nullopt;
  }
  return zeros_behind ? spec::TextEncoding::utf16le : spec::TextEncoding::utf16be;
}

std::optional<std::string_view> foreign_form(std::string_view front, bool end) noexcept {
  struct Form {
    std::string_view magic;
    std::string_view name;
  };
  constexpr std::array<Form, 5> kForms{{{"PK\x03\x04"sv, "a ZIP archive (a workbook, .xlsx, is one too)"},
                                        {"\xD0\xCF\x11\xE0"sv, "a workbook or document of Microsoft Office"},
                                        {"\xFD\x37zX"sv, "compressed by xz"},
                                        {"\x04\x22\x4D\x18"sv, "compressed by lz4"},
                                        {"\x89HDF"sv, "an HDF5 file"}}};
  bool perhaps = false;
  for (const Form& form : kForms) {
    const Fit fits = fit(front, form.magic, end);
    if (fits == Fit::yes) {
      return form.name;
    }
    perhaps |= fits == Fit::perhaps;
  }
  return perhaps ? std::nullopt : std::optional<std::string_view>("");
}

std::string_view name_of_form(std::string_view text) noexcept {
  const std::optional<Compression> compression = compression_of(text, true);
  if (compression == Compression::gzip) {
    return "gzip";
  }
  if (compression == Compression::zstd) {
    return "zstd";
  }
  return encoding_of(text, true) == spec::TextEncoding::utf8 ? "" : "UTF-16";
}

}  // namespace weir::source
