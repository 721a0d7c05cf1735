// The segment that is appended to, by itself.
#include "journal/live_segment.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/file_system.hpp"
#include "journal/frame.hpp"
#include "support/temporary_directory.hpp"

namespace weir::journal {
namespace {

TEST(LiveSegment, WhoeverSyncsItWhenItIsCompleteFindsNoDamage) {
  const test::TemporaryDirectory files;
  const auto segment = LiveSegment::create(real_file_system(), files.path(), 0, 1U << 20U);
  segment->begin(0);
  Record record;
  record.message.payload = "one";
  segment->append(record, frame_bytes(record));
  segment->complete(1, false);
  EXPECT_NO_THROW(segment->sync());
  EXPECT_NO_THROW(segment->sync());
}

TEST(LiveSegment, FileThatSomebodyCutOffIsTold) {
  const test::TemporaryDirectory files;
  const auto segment = LiveSegment::create(real_file_system(), files.path(), 0, 1U << 20U);
  segment->begin(0);
  ASSERT_EQ(::truncate(segment->path().c_str(), 4096), 0);
  EXPECT_THROW(segment->sync(), Error);
}

}  // namespace
}  // namespace weir::journal
