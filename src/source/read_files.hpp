// Which files of a directory were read: in memory, and as the text that positions carry.
//
// A file is known by its inode and the instant at which that was made, whatever its name and modification time are; its
// content by the hash of its ends. A copy that has the name, size, modification time and content of a file that was
// read counts as read too: after a backup was restored, or where inodes do not last.
//
// Text: entries "<id>:<bytes>:<ends>:<stamp>;" in hexadecimal digits, "!;" at the end of one of which no more is read,
// "~;" of one that is packed (see text_input.hpp): its position counts bytes of the text. Behind "=" are all of them;
// behind "+" those that come to the ones before (batch::SourcePosition). So a record of the journal tells of one file,
// and what all of them tell together stays at most about twice as long as the directory is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace weir::source {

struct ReadFile {
  std::uint64_t id = 0;     ///< of the inode and its birth
  std::uint64_t bytes = 0;  ///< read, from the beginning
  std::uint32_t ends = 0;   ///< hash of the ends of these
  std::uint32_t stamp = 0;  ///< hash of the attributes when they were looked at last
  bool packed = false;      ///< compressed, or of another encoding: the position counts bytes of its text
  bool refused = false;     ///< nothing more is read of it; without bytes: it could not be read at all
};

/// One thread.
class ReadFiles {
 public:
  struct Entry : ReadFile {
    std::uint64_t listing = 0;  ///< the last one that shows it
    bool from_before = false;   ///< not looked at since the start
  };

  /// @brief What the position tells; its last entry. @throws Error when it is damaged.
  std::optional<ReadFile> load(std::string_view detail);

  /// @brief A listing begins: find() marks what is in it.
  void begin_listing() noexcept {
    ++listing_;
    listed_ = 0;
  }
  [[nodiscard]] Entry* find(std::uint64_t id);
  /// @brief A file with these attributes under another id; valid until the next change.
  [[nodiscard]] const Entry* find_copy(std::uint32_t stamp) const;

  /// @brief Known from now on, without a word in a position: the next start can find it out again.
  void remember(const ReadFile& file);
  /// @brief Known from now on; the detail of the position that tells so.
  [[nodiscard]] std::string add(const ReadFile& file);
  /// @brief The last detail did not get into a position: the next one tells of all files.
  void tell_all() noexcept { begun_ = false; }

 private:
  void mark(Entry& entry) noexcept;
  void forget_what_is_gone();

  std::unordered_map<std::uint64_t, Entry> files_;
  std::unordered_map<std::uint32_t, std::uint64_t> by_stamp_;
  std::uint64_t listing_ = 1;
  std::size_t listed_ = 0;
  std::size_t told_ = 0;  // entries in the position
  bool begun_ = false;    // the position tells of all but what remember() was told
};

}  // namespace weir::source
