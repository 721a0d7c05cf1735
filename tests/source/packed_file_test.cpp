// Files that are compressed or in another encoding: their text, its positions, and what is damaged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <random>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "source/file_reader.hpp"
#include "source/source.hpp"
#include "source/text_encoding.hpp"
#include "source/text_form.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace weir::source {
namespace {

using namespace std::string_literals;
using test::TemporaryDirectory;
using test::write_bytes;
using testing::ElementsAre;
using testing::HasSubstr;

std::string gzip(const std::string& text) {
  ::z_stream stream{};
  EXPECT_EQ(::deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(::deflateBound(&stream, text.size()) + 64, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

// As the command makes it: with a checksum, and of a pipe without the size.
std::string zstd(const std::string& text, int window_log = 0) {
  std::string packed(::ZSTD_compressBound(text.size()) + 64, '\0');
  ::ZSTD_CCtx* const context = ::ZSTD_createCCtx();
  ::ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  ::ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  ::ZSTD_inBuffer in{text.data(), text.size(), 0};
  ::ZSTD_outBuffer out{packed.data(), packed.size(), 0};
  ::ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush);
  EXPECT_EQ(::ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0U);
  ::ZSTD_freeCCtx(context);
  packed.resize(out.pos);
  return packed;
}

std::string utf16(const std::u16string& text, bool big) {
  std::string bytes;
  for (const char16_t unit : text) {
    const char low = static_cast<char>(unit & 0xFF);
    const char high = static_cast<char>(unit >> 8);
    bytes += big ? high : low;
    bytes += big ? low : high;
  }
  return bytes;
}

std::string lines(std::size_t bytes) {
  std::mt19937_64 random(bytes);
  std::string text;
  while (text.size() < bytes) {
    text += std::to_string(random()) + "\n";
  }
  return text;
}

spec::Source file(const std::string& path) {
  spec::Source source;
  source.kind = spec::SourceKind::file;
  source.path = path;
  return source;
}

struct Read {
  std::string text;
  std::vector<batch::SourcePosition> positions;
  std::string problem;
  std::size_t refused = 0;
};

Read read_all(BlockReader& reader) {
  Read read;
  batch::SourcePosition position;
  batch::MessageView message;
  try {
    while (reader.next(message)) {
      read.text += message.refused ? "" : message.payload;
      read.refused += message.refused ? 1U : 0U;
      position.advance(message.position_offset, message.position_detail);
      read.positions.push_back(position);
    }
  } catch (const Error& error) {
    read.problem = error.what();
  }
  return read;
}

Read read_all(const spec::Source& source, const batch::SourcePosition& from = {}) {
  return read_all(*make_block_reader(source, 0, from));
}

Read read_bytes_as(const std::string& bytes, spec::TextEncoding encoding = spec::TextEncoding::automatic) {
  const TemporaryDirectory files;
  write_bytes(files / "x", bytes);
  spec::Source source = file(files / "x");
  source.encoding = encoding;
  return read_all(source);
}

TEST(PackedFile, IsReadWhateverItsName) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{33}, kBlockBytes + 1, 5 * kBlockBytes}) {
    const std::string text = lines(bytes);
    for (const std::string& packed : {gzip(text), zstd(text)}) {
      const Read read = read_bytes_as(packed);
      EXPECT_EQ(read.problem, "");
      EXPECT_EQ(read.text, text);
    }
  }
}

TEST(PackedFile, MembersThatFollowEachOtherAreOneText) {
  const std::string a = lines(100'000);
  const std::string b = lines(70'000);
  EXPECT_EQ(read_bytes_as(gzip(a) + gzip("") + gzip(b)).text, a + b);
  EXPECT_EQ(read_bytes_as(gzip(a) + std::string(1000, '\0')).problem, "") << "padding";
  const std::string skippable = "\x53\x2A\x4D\x18\x03\x00\x00\x00xyz"s;
  EXPECT_EQ(read_bytes_as(skippable + zstd(a) + zstd("") + skippable + zstd(b)).text, a + b);
}

TEST(PackedFile, DamageAndACutOffEndAreErrorsBehindWhatIsSound) {
  const std::string text = lines(400'000);
  for (const std::string& packed : {gzip(text), zstd(text)}) {
    for (const std::size_t part : {packed.size() - 1, packed.size() / 2, std::size_t{20}, std::size_t{5}}) {
      const Read read = read_bytes_as(packed.substr(0, part));
      EXPECT_THAT(read.problem, HasSubstr("x': the compressed data is cut off"));
      EXPECT_TRUE(text.starts_with(read.text));
      EXPECT_TRUE(read.text.empty() || read.text.ends_with('\n')) << "no half of a line";
      EXPECT_TRUE(part < packed.size() - 1 || read.text.size() > text.size() / 2);
    }
    std::string damaged = packed;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
    EXPECT_THAT(read_bytes_as(damaged).problem, HasSubstr("x': the compressed data is damaged"));
    EXPECT_THAT(read_bytes_as(packed + "t,v\n1,2\n").problem, HasSubstr("the compressed data"));
  }
}

TEST(PackedFile, AWindowLargerThanTheBoundIsRefusedByName) {
  EXPECT_EQ(read_bytes_as(zstd(lines(100'000), 23)).problem, "");
  EXPECT_THAT(read_bytes_as(zstd(lines(100'000), 24)).problem, HasSubstr("compress it without --long and --ultra"));
}

TEST(PackedFile, ResumesAtEveryPosition) {
  const TemporaryDirectory files;
  const std::string text = lines(6 * kBlockBytes);
  for (const std::string& packed : {gzip(text), zstd(text)}) {
    write_bytes(files / "x", packed);
    const Read whole = read_all(file(files / "x"));
    ASSERT_GT(whole.positions.size(), 4U);
    for (const batch::SourcePosition& position : whole.positions) {
      EXPECT_EQ(read_all(file(files / "x"), position).text, text.substr(position.offset));
    }
    write_bytes(files / "x", zstd("other\n" + text));
    EXPECT_EQ(read_all(file(files / "x"), whole.positions[1]).text, "other\n" + text) << "another file";
  }
}

TEST(PackedFile, ResumedCsvRepeatsItsHeader) {
  const TemporaryDirectory files;
  write_bytes(files / "x", gzip("t,v\n1,2\n3,4\n5,6\n"));
  spec::Source source = file(files / "x");
  source.format.kind = spec::FormatKind::csv;
  EXPECT_EQ(read_all(source, {8, {}}).text, "t,v\n3,4\n5,6\n");
}

TEST(PackedFile, UnderAnotherEncodingIsReadAsUtf8) {
  const std::u16string wide = u"t,k\n1,\u00e4\n2,\u20ac\n3,\U0001F600\n";
  const std::string text = "t,k\n1,\xC3\xA4\n2,\xE2\x82\xAC\n3,\xF0\x9F\x98\x80\n";
  for (const bool big : {false, true}) {
    EXPECT_EQ(read_bytes_as(utf16(u"\uFEFF" + wide, big)).text, text);
    EXPECT_EQ(read_bytes_as(utf16(wide, big)).text, text) << "without a mark";
    EXPECT_EQ(read_bytes_as(gzip(utf16(u"\uFEFF" + wide, big))).text, text);
    const auto encoding = big ? spec::TextEncoding::utf16be : spec::TextEncoding::utf16le;
    EXPECT_EQ(read_bytes_as(utf16(u"\u00e4\n", big), encoding).text, "\xC3\xA4\n");
  }
  EXPECT_EQ(read_bytes_as("\xE4\x80\x9F\x81\n", spec::TextEncoding::latin1).text,
            "\xC3\xA4\xE2\x82\xAC\xC5\xB8\xC2\x81\n");
  EXPECT_EQ(read_bytes_as("\xEF\xBB\xBFt\n").text, "\xEF\xBB\xBFt\n") << "the decoder drops it";
}

TEST(PackedFile, Utf16OfManyBlocksResumesAndIsNotCutInTheMiddleOfACharacter) {
  const TemporaryDirectory files;
  std::u16string wide;
  std::string text;
  for (int i = 0; i < 100'000; ++i) {
    wide += u"\U0001F600\u00e4x\n";
    text += "\xF0\x9F\x98\x80\xC3\xA4x\n";
  }
  write_bytes(files / "x", utf16(u"\uFEFF" + wide, false));
  const Read whole = read_all(file(files / "x"));
  EXPECT_EQ(whole.text, text);
  for (const batch::SourcePosition& position : whole.positions) {
    EXPECT_EQ(read_all(file(files / "x"), position).text, text.substr(position.offset));
  }
  EXPECT_THAT(read_bytes_as(utf16(u"\uFEFF" + wide, false) + "x").problem,
              HasSubstr("in the middle of a UTF-16 character"));
  EXPECT_EQ(read_bytes_as(utf16(u"ab\xD83D\n\xDE00\n", true)).text, "ab\xEF\xBF\xBD\n\xEF\xBF\xBD\n");
}

TEST(TextForm, IsUndecidedOnlyWhileItCouldBeEither) {
  EXPECT_EQ(compression_of("{", false), Compression::none);
  EXPECT_EQ(compression_of("\x1F", false), std::nullopt);
  EXPECT_EQ(compression_of("\x1F", true), Compression::none);
  EXPECT_EQ(compression_of("P", false), std::nullopt);
  EXPECT_EQ(compression_of("P1", false), Compression::none);
  EXPECT_EQ(encoding_of("1", false), std::nullopt);
  EXPECT_EQ(encoding_of("1\n", false), spec::TextEncoding::utf8);
  EXPECT_EQ(encoding_of("1", true), spec::TextEncoding::utf8);
  EXPECT_EQ(encoding_of("1\0"s, true), spec::TextEncoding::utf8);
  EXPECT_EQ(name_of_form("\x1F\x8B\x08"), "gzip");
  EXPECT_EQ(name_of_form("\xFF\xFE{\0"s), "UTF-16");
  EXPECT_EQ(name_of_form("{}"), "");
  EXPECT_EQ(name_of_form(""), "");
}

TEST(TextForm, WhatIsNoTextIsNamed) {
  EXPECT_EQ(foreign_form("PK\x03\x04\x14", true), "a ZIP archive (a workbook, .xlsx, is one too)");
  EXPECT_EQ(foreign_form("PK", true), "");
  EXPECT_EQ(foreign_form("PKW,time\n", true), "");
  EXPECT_EQ(foreign_form("", true), "");
  EXPECT_EQ(foreign_form("PK", false), std::nullopt);
  EXPECT_EQ(foreign_form("PX", false), "");
  EXPECT_THAT(read_bytes_as("PK\x03\x04" + std::string(60, '\0')).problem,
              HasSubstr("it is a ZIP archive (a workbook, .xlsx, is one too), which has to be unpacked or exported"));
  EXPECT_THAT(read_bytes_as("\xFD\x37zXZ" + std::string(60, '\0')).problem, HasSubstr("it is compressed by xz"));
}

class FileList : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& bytes) { write_bytes(files_ / name, bytes); }
  spec::Source list(const std::vector<std::string>& names) {
    spec::Source source;
    source.kind = spec::SourceKind::file;
    for (const std::string& name : names) {
      source.paths.push_back(files_ / name);
    }
    return source;
  }
  const TemporaryDirectory files_;
};

TEST_F(FileList, IsReadInItsOrderAsOneSource) {
  put("b", "1\n");
  put("p-10", gzip("3\n"));
  put("p-2", "2");
  EXPECT_EQ(read_all(list({"b", "p-*"})).text, "1\n23\n") << "blocks end with their file";
}

TEST_F(FileList, ResumesAtEveryPositionOverPlainAndPackedFiles) {
  const std::string a = lines(3 * kBlockBytes);
  const std::string b = lines(3 * kBlockBytes + 1);
  const std::string c = lines(2 * kBlockBytes);
  put("a", a);
  put("b", zstd(b));
  put("c", c);
  const Read whole = read_all(list({"a", "b", "c"}));
  ASSERT_EQ(whole.text, a + b + c);
  std::size_t before = 0;
  for (const batch::SourcePosition& position : whole.positions) {
    const std::string rest = read_all(list({"a", "b", "c"}), position).text;
    ASSERT_TRUE(whole.text.ends_with(rest));
    ASSERT_GT(whole.text.size() - rest.size(), before);
    before = whole.text.size() - rest.size();
  }
  EXPECT_EQ(before, whole.text.size());
}

TEST_F(FileList, ADamagedFileCostsItselfAndIsNotReadAgain) {
  const std::string text = lines(400'000);
  const std::string packed = gzip(text);
  put("a", packed.substr(0, packed.size() / 2));
  put("b", "last\n");
  const Read read = read_all(list({"a", "b"}));
  EXPECT_EQ(read.refused, 1U);
  EXPECT_TRUE(read.text.ends_with("\nlast\n"));
  EXPECT_TRUE(text.starts_with(read.text.substr(0, read.text.size() - 5)));
  const Read again = read_all(list({"a", "b"}), read.positions.back());
  EXPECT_EQ(again.text, "");
  EXPECT_EQ(again.refused, 0U);
}

TEST_F(FileList, WhatIsAppendedIsReadOnButNotOfAPackedFile) {
  put("a", "1\n");
  put("b", gzip("2\n"));
  const Read read = read_all(list({"a", "b"}));
  put("a", "1\n3\n");
  put("b", gzip("2\n") + gzip("4\n"));
  const Read again = read_all(list({"a", "b"}), read.positions.back());
  EXPECT_EQ(again.text, "3\n");
  EXPECT_EQ(again.refused, 1U) << "told, not lost in silence";
}

TEST_F(FileList, AMissingFileIsNamedBeforeAnythingIsRead) {
  put("a", "1\n");
  try {
    read_all(list({"a", "none", "x-*"}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("none': No such file or directory"));
    EXPECT_THAT(error.what(), HasSubstr("x-*': no file matches"));
  }
}

}  // namespace
}  // namespace weir::source
