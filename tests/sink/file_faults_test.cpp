// The file sink on a disk that is full, that fails, and what it leaves to the checkpoint to make durable.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <map>
#include <thread>

#include "core/error.hpp"
#include "core/file_system.hpp"
#include "sink/file_sink.hpp"
#include "sink/rows.hpp"

namespace weir::sink {
namespace {

using test::count;
using test::kNoon;
using test::kSecond;
using test::message_of;
using test::Rows;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using weir::test::read_bytes;
using weir::test::TemporaryDirectory;

// Writes half of what it is given, then says why not; and counts.
class FullFileSystem : public FileSystem {
 public:
  std::atomic<int> error_number{0};  ///< 0: all is well
  std::atomic<int> refused{0};
  std::atomic<int> syncs{0};

  FileDescriptor open(const std::string& path, int flags, ::mode_t mode) override {
    refuse("open", path);
    return FileSystem::open(path, flags, mode);
  }
  void write(const FileDescriptor& file, std::string_view bytes, const std::string& path) override {
    if (error_number != 0) FileSystem::write(file, bytes.substr(0, bytes.size() / 2), path);
    refuse("write", path);
    FileSystem::write(file, bytes, path);
  }
  void sync(const FileDescriptor& file, const std::string& path) override {
    ++syncs;
    FileSystem::sync(file, path);
  }

 private:
  void refuse(std::string_view action, const std::string& path) {
    if (const int error = error_number; error != 0) {
      ++refused;
      throw FileError(action, path, error);
    }
  }
};

spec::Sink file_spec(std::string path) {
  spec::Sink spec;
  spec.name = "rows";
  spec.kind = spec::SinkKind::file;
  spec.path = std::move(path);
  return spec;
}

class FileOnAFullDisk : public ::testing::TestWithParam<int> {
 protected:
  FileOnAFullDisk() : path_(temporary_ / "q.jsonl"), sink_(file_spec(path_), files_) {
    sink_.open({&rows_.shape()});
    rows_.add(kNoon, {"x"}, {count(1)});
    sink_.write(rows_.table());
    sink_.flush();
    row_ = read_bytes(path_);
  }
  // Runs beside the sink once it was refused some times.
  template <class Action>
  std::thread when_refused(const Action& action) {
    return std::thread([this, action] {
      while (files_.refused < 3) std::this_thread::yield();
      action();
    });
  }
  const TemporaryDirectory temporary_;
  const std::string path_;
  FullFileSystem files_;
  Rows rows_{test::small()};
  FileSink sink_;
  std::string row_;
};

TEST_P(FileOnAFullDisk, TheRowsWaitAndFollowWhenThereIsRoom) {
  sink_.write(rows_.table());
  files_.error_number = GetParam();
  std::string meanwhile;
  std::thread room = when_refused([&] { files_.error_number = 0; });
  sink_.flush();
  room.join();
  EXPECT_EQ(read_bytes(path_), row_ + row_);
  EXPECT_GE(files_.refused, 3);
}

TEST_P(FileOnAFullDisk, WhenThePipelineStopsItIsAnErrorAndTheFileHoldsWholeRows) {
  sink_.write(rows_.table());
  files_.error_number = GetParam();
  std::thread stop = when_refused([&] { sink_.interrupt(); });
  EXPECT_EQ(message_of([&] { sink_.flush(); }),
            "cannot write '" + path_ + "': " + std::string(std::strerror(GetParam())));
  stop.join();
  EXPECT_EQ(read_bytes(path_), row_);
  const int refused = files_.refused;
  EXPECT_NE(message_of([&] { sink_.flush(); }), "nothing was thrown");
  EXPECT_EQ(files_.refused, refused + 1) << "it waits no more";
  files_.error_number = 0;
  sink_.flush();
  EXPECT_EQ(read_bytes(path_), row_ + row_);
}

INSTANTIATE_TEST_SUITE_P(Full, FileOnAFullDisk, ::testing::Values(ENOSPC, EDQUOT));

TEST(FileFaults, OtherErrorsAreErrorsAtOnce) {
  const TemporaryDirectory temporary;
  FullFileSystem files;
  Rows rows(test::small());
  FileSink sink(file_spec(temporary / "q.jsonl"), files);
  sink.open({&rows.shape()});
  sink.write(rows.add(kNoon, {"x"}, {count(1)}).table());
  files.error_number = EIO;
  EXPECT_THAT(message_of([&] { sink.flush(); }), EndsWith("q.jsonl': Input/output error"));
  EXPECT_EQ(files.refused, 1);
  EXPECT_EQ(read_bytes(temporary / "q.jsonl"), "") << "no half row";
}

TEST(FileFaults, ARotationOnAFullDiskWaitsToo) {
  const TemporaryDirectory temporary;
  FullFileSystem files;
  Rows rows(test::small());
  spec::Sink spec = file_spec(temporary / "q.jsonl");
  spec.rotate_bytes = 1;
  FileSink sink(spec, files);
  sink.open({&rows.shape()});
  rows.add(kNoon, {"x"}, {count(1)});
  sink.write(rows.table());
  sink.flush();
  files.error_number = ENOSPC;
  std::thread room([&] {
    while (files.refused < 2) std::this_thread::yield();
    files.error_number = 0;
  });
  sink.write(rows.table());
  room.join();
  sink.flush();
  sink.close();
  EXPECT_EQ(read_bytes(temporary / "q.20130831T220000Z.jsonl"),
            read_bytes(temporary / "q.20130831T220000Z_0001.jsonl"));
}

TEST(FileFaults, ACheckpointNamesWhatHasToBeSyncedAndSyncsNothingItself) {
  const TemporaryDirectory temporary;
  FullFileSystem files;
  Rows rows(test::small());
  spec::Sink spec = file_spec(temporary / "q.jsonl");
  spec.rotate_every = std::chrono::seconds(10);
  FileSink sink(spec, files);
  sink.open({&rows.shape()});
  const auto paths = [&] {
    std::vector<FileToSync> to_sync;
    sink.checkpoint(to_sync);
    std::vector<std::string> names;
    for (const FileToSync& file : to_sync) {
      names.push_back((file.file ? "" : "names in ") + file.path.substr(temporary.path().size()));
    }
    return names;
  };
  EXPECT_THAT(paths(), ElementsAre("/q.jsonl", "names in "));
  EXPECT_THAT(paths(), ElementsAre("/q.jsonl"));
  for (int i = 0; i < 3; ++i) {
    rows.clear();
    sink.write(rows.add(kNoon + i * 10 * kSecond, {"x"}, {count(1)}).table());
  }
  EXPECT_THAT(paths(), ElementsAre("/q.20130831T220000Z.jsonl", "/q.20130831T220010Z.jsonl", "/q.jsonl", "names in "));
  EXPECT_EQ(files.syncs, 0);
  // Without checkpoints the files that wait stay few.
  for (int i = 3; i < 100; ++i) {
    rows.clear();
    sink.write(rows.add(kNoon + i * 10 * kSecond, {"x"}, {count(1)}).table());
  }
  EXPECT_GT(files.syncs, 50);
  EXPECT_LT(paths().size(), 25U);
}

TEST(FileFaults, AFileThatHoldsAPartOfItsHeaderIsBegunAnew) {
  const TemporaryDirectory temporary;
  Rows rows(test::small());
  spec::Sink spec = file_spec(temporary / "q.csv");
  spec.format = spec::RowFormat::csv;
  FileSink whole(spec);
  whole.open({&rows.shape()});
  whole.flush();
  const std::string header = read_bytes(spec.path);
  spec.append = true;
  for (const std::size_t bytes : {std::size_t{1}, header.size() - 1}) {
    whole.close();
    weir::test::write_bytes(spec.path, header.substr(0, bytes));
    FileSink sink(spec);
    sink.prepare({&rows.shape()});
    sink.open({&rows.shape()});
    sink.flush();
    EXPECT_EQ(read_bytes(spec.path), header);
    sink.close();
  }
  weir::test::write_bytes(spec.path, "notes");
  FileSink sink(spec);
  EXPECT_THAT(message_of([&] { sink.prepare({&rows.shape()}); }), ::testing::HasSubstr("does not end with a row"));
}

}  // namespace
}  // namespace weir::sink
