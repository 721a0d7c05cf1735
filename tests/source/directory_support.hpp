// A directory that a test fills, and what a source reads of it.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "source/collector.hpp"
#include "source/directory_reader.hpp"
#include "source/source.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace weir::source {

namespace fs = std::filesystem;
using test::eventually;
using test::TemporaryDirectory;
using test::write_bytes;

inline spec::Source directory(const std::string& path) {
  spec::Source source;
  source.kind = spec::SourceKind::directory;
  source.path = path;
  source.poll = std::chrono::milliseconds(2);
  source.settle = std::chrono::milliseconds(300);
  return source;
}

inline void set_modified(const std::string& path, std::int64_t seconds) {
  const ::timespec times[2] = {{seconds, 5}, {seconds, 5}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

/// Writes beside the directory and renames into it; `seconds` is the modification time.
inline void put(const TemporaryDirectory& where, const std::string& name, const std::string& text,
                std::int64_t seconds) {
  const std::string temporary = where / ".being-written";
  write_bytes(temporary, text);
  set_modified(temporary, seconds);
  fs::rename(temporary, where / name);
}

inline void append(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::app) << text;
}

struct ReadAll {
  std::string text;
  std::vector<std::string> refused;
  batch::SourcePosition position;
  std::size_t detail_bytes = 0;  // in all messages
};

inline ReadAll read(BlockReader& reader, const batch::SourcePosition& from = {}, std::size_t messages = SIZE_MAX) {
  ReadAll all;
  all.position = from;
  batch::MessageView message;
  while (messages-- > 0 && reader.next(message)) {
    if (message.refused) {
      EXPECT_EQ(*message.refused, batch::Malformed::unreadable);
      all.refused.emplace_back(message.payload);
    } else {
      all.text += message.payload;
    }
    all.position.advance(message.position_offset, message.position_detail);
    all.detail_bytes += message.position_detail.size();
  }
  return all;
}

inline ReadAll read_from(const spec::Source& spec, const batch::SourcePosition& position) {
  return read(*make_block_reader(spec, 0, position), position);
}

inline std::string read_all(BlockReader& reader) {
  return read(reader).text;
}

/// A watched directory, looked at by hand.
class Watched {
 public:
  explicit Watched(const spec::Source& spec, const batch::SourcePosition& from = {})
      : reader_(spec, 0, from, DirectoryReader::Taking::when_complete), all_{{}, {}, from, 0} {}

  void look() {
    const ReadAll more = read(reader_, all_.position);
    all_.text += more.text;
    all_.refused.insert(all_.refused.end(), more.refused.begin(), more.refused.end());
    all_.position = more.position;
    reader_.scan();
  }
  bool reads(const std::string& text) {
    return eventually([&] {
      look();
      return all_.text == text;
    });
  }
  bool refuses(std::size_t count) {
    return eventually([&] {
      look();
      return all_.refused.size() == count;
    });
  }
  void look_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    EXPECT_TRUE(eventually([&] {
      look();
      return std::chrono::steady_clock::now() > end;
    }));
  }
  /// @brief So long that whatever is complete was found to be.
  void look_for_long() { look_for(std::chrono::seconds(1)); }
  [[nodiscard]] const ReadAll& all() const { return all_; }

 private:
  DirectoryReader reader_;
  ReadAll all_;
};

}  // namespace weir::source
