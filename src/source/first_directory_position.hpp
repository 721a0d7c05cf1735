// The position of a directory as the first versions wrote it, read so that a gateway that was updated goes on.
//
// "<mtime ns>/<name>/" for each file: the last is the one being read, those in between were read before, and the first
// is a bound: whatever is at or below it, by modification time and then by name, counts as read.
#pragma once

#include <algorithm>
#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::source {

struct FirstDirectoryPosition {
  struct File {
    std::int64_t modified_ns = 0;
    std::string name;
    friend auto operator<=>(const File&, const File&) = default;
  };
  std::vector<File> files;

  [[nodiscard]] bool was_being_read(const File& file) const { return file == files.back(); }
  [[nodiscard]] bool was_read(const File& file) const {
    return file <= files.front() || std::find(files.begin(), files.end(), file) != files.end();
  }

  /// @brief Nothing when it is none.
  static std::optional<FirstDirectoryPosition> read(std::string_view detail) {
    FirstDirectoryPosition position;
    while (!detail.empty()) {
      File file;
      const auto [end, error] = std::from_chars(detail.data(), detail.data() + detail.size(), file.modified_ns);
      const auto digits = static_cast<std::size_t>(end - detail.data());
      if (error != std::errc() || digits == detail.size() || detail[digits] != '/') {
        return std::nullopt;
      }
      const std::size_t slash = detail.find('/', digits + 1);
      if (slash == std::string_view::npos) {
        return std::nullopt;
      }
      file.name = detail.substr(digits + 1, slash - digits - 1);
      detail.remove_prefix(slash + 1);
      position.files.push_back(std::move(file));
    }
    return position.files.size() < 2 ? std::nullopt : std::optional(std::move(position));
  }
};

}  // namespace weir::source
