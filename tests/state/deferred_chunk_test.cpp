// Chunks that are made while the checkpoint is written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "core/error.hpp"
#include "state/checkpoint_store.hpp"
#include "support/temporary_directory.hpp"

namespace weir::state {
namespace {

using test::TemporaryDirectory;
using ::testing::HasSubstr;

/// Made by a function, once.
class Chunk final : public DeferredChunk {
 public:
  Chunk(std::uint64_t version, std::function<std::string()> make) : version_(version), make_(std::move(make)) {}
  [[nodiscard]] bool made() const noexcept override { return made_; }
  Made make() override {
    if (!made_) bytes_ = make_();
    made_ = true;
    return {version_, bytes_};
  }

 private:
  const std::uint64_t version_;
  const std::function<std::string()> make_;
  bool made_ = false;
  std::string bytes_;
};

std::shared_ptr<Chunk> chunk(std::uint64_t version, std::string bytes) {
  return std::make_shared<Chunk>(version, [bytes = std::move(bytes)] { return bytes; });
}

CheckpointDraft draft_of(CheckpointStore& store, const std::shared_ptr<DeferredChunk>& second) {
  CheckpointDraft draft = store.draft();
  SectionWriter& section = draft.section("x");
  section.out().text("head");
  section.defer_chunk(1, chunk(7, "the first"));
  section.out().text("between");
  section.defer_chunk(2, second);
  if (section.begin_chunk(3, 1)) section.out().text("made at once");
  section.end_chunk();
  section.out().text("tail");
  return draft;
}

std::string expected(const std::string& second) {
  Writer out;
  out.text("head");
  out.raw("the first", 9);
  out.text("between");
  out.raw(second.data(), second.size());
  out.text("made at once");
  out.text("tail");
  return out.take();
}

std::string loaded(CheckpointStore& store) {
  std::vector<std::string> warnings;
  return std::string(*store.load(warnings)->find("x"));
}

TEST(DeferredChunk, Bytes_LieWhereTheChunkStandsAndAreMadeByTheStore) {
  const TemporaryDirectory temporary;
  CheckpointStore store(temporary.path());
  std::thread::id maker;
  store.write(draft_of(store, std::make_shared<Chunk>(1, [&] {
                         maker = std::this_thread::get_id();
                         return std::string("the second");
                       })));
  EXPECT_NE(maker, std::thread::id());
  EXPECT_NE(maker, std::this_thread::get_id());
  EXPECT_EQ(loaded(store), expected("the second"));
}

TEST(DeferredChunk, Version_ThatIsStoredIsNotWrittenAgain) {
  const TemporaryDirectory temporary;
  CheckpointStore store(temporary.path());
  const WriteResult first = store.write(draft_of(store, chunk(1, "the second")));
  const WriteResult second = store.write(draft_of(store, chunk(2, "another second")));
  EXPECT_EQ(second.new_bytes, first.new_bytes - std::string("the first").size() - (8 + 12) + 4);
  EXPECT_GT(second.referenced_bytes, 0U);
  const WriteResult third = store.write(draft_of(store, chunk(2, "another second")));
  EXPECT_EQ(third.new_bytes, second.new_bytes - std::string("another second").size());
  EXPECT_EQ(loaded(store), expected("another second"));
}

TEST(DeferredChunk, Chunk_ThatCannotBeMadeLeavesTheCheckpointBefore) {
  const TemporaryDirectory temporary;
  CheckpointStore store(temporary.path());
  store.write(draft_of(store, chunk(1, "the second")));
  store.start_write(draft_of(store, std::make_shared<Chunk>(2, []() -> std::string { throw Error("nothing there"); })));
  store.wait();
  const WriteResult failed = store.poll().value();
  EXPECT_EQ(failed.number, 0U);
  EXPECT_THAT(failed.error, HasSubstr("nothing there"));
  const WriteResult next = store.write(draft_of(store, chunk(3, "the next")));
  EXPECT_EQ(next.number, 2U);
  EXPECT_GT(next.referenced_bytes, 0U) << "what is stored was forgotten";
  EXPECT_EQ(loaded(store), expected("the next"));
}

}  // namespace
}  // namespace weir::state
