// The bytes of docs/file-formats.md, built by hand: another program must be able to read them.
#include "state/checkpoint_format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <string>

#include "core/error.hpp"
#include "state/checkpoint_store.hpp"
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

std::string checksum(const std::string& bytes) {
  return little(XXH3_64bits(bytes.data(), bytes.size()), 8);
}

std::string text(const std::string& bytes) {
  return little(bytes.size(), 8) + bytes;
}

constexpr std::uint64_t kFrame = 28;

// Checkpoint 42: section query/x is a chunk in checkpoint 40, then one of its own; sink/rows is empty.
std::string file_by_hand() {
  const std::string content = "state of x";
  const std::uint64_t head = kFrame + 16 + 8 + (8 + 7 + 8) + 8 + (8 + 7 + 8) + 2 * 32 + (8 + 9 + 8);
  const std::string body = little(42, 8) + little(1'000'000'007, 8) +                           //
                           little(1, 8) + text("machine") + little(77, 8) +                     //
                           little(2, 8) + text("query/x") + little(2, 8) +                      //
                           little(40, 8) + little(123, 8) + little(5, 8) + checksum("older") +  //
                           little(42, 8) + little(head, 8) + little(content.size(), 8) + checksum(content) +
                           text("sink/rows") + little(0, 8);
  return framed(2, body) + content + "WEIRCEND";
}

TEST(CheckpointFormat, BytesAreAsDocumented) {
  const std::string expected = file_by_hand();
  const ParsedHead parsed = parse_checkpoint(expected);
  EXPECT_EQ(parsed.damage, "");
  EXPECT_EQ(parsed.version, 2U);
  EXPECT_EQ(parsed.table.number, 42U);
  EXPECT_EQ(parsed.table.written_ns, 1'000'000'007);
  EXPECT_EQ(parsed.table.needs, (Needs{{"machine", 77}}));
  ASSERT_EQ(parsed.table.sections.size(), 2U);
  EXPECT_EQ(parsed.table.sections[0].name, "query/x");
  ASSERT_EQ(parsed.table.sections[0].chunks.size(), 2U);
  EXPECT_EQ(parsed.table.sections[0].chunks[0], (ChunkPlace{40, 123, 5, XXH3_64bits("older", 5)}));
  EXPECT_EQ(expected.substr(parsed.table.sections[0].chunks[1].offset, 10), "state of x");
  EXPECT_TRUE(parsed.table.sections[1].chunks.empty());
  EXPECT_EQ(head_bytes(parsed.table), parsed.bytes);
  EXPECT_EQ(encode_head(parsed.table) + "state of x" + "WEIRCEND", expected);
}

// What programs before this one wrote.
TEST(CheckpointFormat, TheFirstVersionIsReadAsOneChunkASection) {
  const std::string body = little(42, 8) + little(1'000'000'007, 8) + little(2, 8) +   //
                           text("query/x") + little(10, 8) + checksum("state of x") +  //
                           text("sink/rows") + little(4, 8) + checksum("rows");
  const std::string bytes = framed(1, body) + "state of x" + "rows" + "WEIRCEND";
  const ParsedHead parsed = parse_checkpoint(bytes);
  EXPECT_EQ(parsed.damage, "");
  EXPECT_EQ(parsed.table.number, 42U);
  EXPECT_EQ(parsed.table.written_ns, 1'000'000'007);
  ASSERT_EQ(parsed.table.sections.size(), 2U);
  EXPECT_EQ(parsed.table.sections[0].chunks[0],
            (ChunkPlace{42, kFrame + body.size(), 10, XXH3_64bits("state of x", 10)}));
  EXPECT_EQ(parsed.table.sections[1].name, "sink/rows");
  EXPECT_EQ(parse_checkpoint(bytes + "x").damage, "longer than its chunks");
  std::string flipped = bytes;
  flipped[kFrame + body.size()] = 'S';
  EXPECT_EQ(parse_checkpoint(flipped).damage, "section 'query/x': checksum differs");
}

TEST(CheckpointFormat, ABodyThatLiesIsDamageEvenUnderAGoodChecksum) {
  const std::string number = little(1, 8) + little(1, 8);
  const std::string none = little(0, 8);
  const std::string huge = little(UINT64_MAX, 8);
  const std::string one = none + little(1, 8) + text("x") + little(1, 8);  // no needs, a section with a chunk
  const auto place = [](std::uint64_t file, std::uint64_t offset, std::uint64_t bytes) {
    return little(file, 8) + little(offset, 8) + little(bytes, 8) + checksum("");
  };
  const std::uint64_t head = kFrame + number.size() + one.size() + 32;
  ASSERT_EQ(parse_checkpoint(framed(2, number + one + place(1, head, 0)) + "WEIRCEND").damage, "");
  for (const std::string& body :
       {std::string(), number + huge + none, number + none + huge, number + none + little(1, 8) + huge + none,
        number + none + little(1, 8) + none + huge, number + none + none + "x", number + one,
        // in a later file, not behind the head, beyond the end, beyond everything
        number + one + place(2, 0, 0), number + one + place(1, head + 1, 0), number + one + place(1, head, 1),
        number + one + place(1, head, UINT64_MAX)}) {
    EXPECT_NE(parse_checkpoint(framed(2, body) + "WEIRCEND").damage, "");
  }
  // The same of the first version: more sections than bytes, a name and a section beyond the end, bytes left over.
  for (const std::string& body : {number + huge, number + little(1, 8) + huge + none + none,
                                  number + little(1, 8) + none + huge + none, number + none + "x"}) {
    EXPECT_NE(parse_checkpoint(framed(1, body) + "WEIRCEND").damage, "");
  }
}

TEST(CheckpointFormat, ANewerVersionIsRefusedByName) {
  const test::TemporaryDirectory temporary;
  CheckpointStore store(temporary.path());
  CheckpointDraft draft = store.draft();
  draft.section("query/x").out().text("old");
  store.write(std::move(draft));
  test::write_bytes(temporary / "checkpoint-00000000000000000002.weir", framed(7, "what only the future knows"));
  std::vector<std::string> warnings;
  try {
    store.load(warnings);
    FAIL() << "loaded a file of a newer version";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("checkpoint-00000000000000000002.weir"));
    EXPECT_THAT(error.what(), HasSubstr("written by a newer version of Weir: format 7, this program reads 2"));
  }
  EXPECT_EQ(list_checkpoints(temporary.path())[1].newer_version, 7U);
}

}  // namespace
}  // namespace weir::state
