// The bytes of docs/file-formats.md, built by hand: another program must be able to read them.
#include "state/checkpoint_format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <string>

#include "core/error.hpp"
#include "support/temporary_directory.hpp"

namespace weir::state {
namespace {

using ::testing::HasSubstr;

std::string little(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(static_cast<unsigned char>(value >> (8 * i))));
  return out;
}

std::string framed(std::uint32_t version, const std::string& body) {
  return "WEIRCKPT" + little(version, 4) + little(body.size(), 8) +
         little(XXH3_64bits_withSeed(body.data(), body.size(), version), 8) + body;
}

std::string file_by_hand() {
  const std::string content = "state of x";
  const std::string body = little(42, 8) + little(1'000'000'007, 8) + little(1, 8) + little(7, 8) + "query/x" +
                           little(content.size(), 8) + little(XXH3_64bits(content.data(), content.size()), 8);
  return framed(1, body) + content + "WEIRCEND";
}

TEST(CheckpointFormat, BytesAreAsDocumented) {
  const std::string expected = file_by_hand();
  EXPECT_EQ(encode_checkpoint_head(42, 1'000'000'007, {{"query/x", "state of x"}}) + "state of x" + "WEIRCEND",
            expected);
  const ParsedCheckpoint parsed = parse_checkpoint(expected);
  EXPECT_EQ(parsed.damage, "");
  EXPECT_EQ(parsed.number, 42U);
  EXPECT_EQ(parsed.written_ns, 1'000'000'007);
  ASSERT_EQ(parsed.sections.size(), 1U);
  EXPECT_EQ(parsed.sections[0].name, "query/x");
  EXPECT_EQ(parsed.sections[0].bytes, "state of x");
}

TEST(CheckpointFormat, ABodyThatLiesIsDamageEvenUnderAGoodChecksum) {
  // more sections than bytes, a name beyond the end, a section beyond the end, bytes left over
  for (const std::string& body :
       {little(1, 8) + little(1, 8) + little(UINT64_MAX, 8),
        little(1, 8) + little(1, 8) + little(1, 8) + little(UINT64_MAX, 8) + little(0, 8) + little(0, 8),
        little(1, 8) + little(1, 8) + little(1, 8) + little(0, 8) + little(UINT64_MAX, 8) + little(0, 8),
        little(1, 8) + little(1, 8) + little(0, 8) + "x", std::string()}) {
    EXPECT_NE(parse_checkpoint(framed(1, body) + "WEIRCEND").damage, "");
  }
}

TEST(CheckpointFormat, ANewerVersionIsRefusedByName) {
  const test::TemporaryDirectory temporary;
  CheckpointStore store(temporary.path());
  store.write({{"query/x", "old"}});
  test::write_bytes(temporary / "checkpoint-00000000000000000002.weir", framed(7, "what only the future knows"));
  std::vector<std::string> warnings;
  try {
    store.load(warnings);
    FAIL() << "loaded a file of a newer version";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("checkpoint-00000000000000000002.weir"));
    EXPECT_THAT(error.what(), HasSubstr("written by a newer version of Weir: format 7, this program reads 1"));
  }
  EXPECT_EQ(list_checkpoints(temporary.path())[1].newer_version, 7U);
}

}  // namespace
}  // namespace weir::state
