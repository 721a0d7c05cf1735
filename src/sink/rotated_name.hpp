// Names of rotated files: `<stem>.<YYYYMMDDTHHMMSSZ>[_<n>]<extension>`. They sort in the order of their rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_system.hpp"

namespace weir::sink {

/// Orders the rotated files of one output: by window end, then by number.
struct RotatedOrder {
  std::string stamp;         ///< "20130831T220001Z"
  std::uint64_t number = 0;  ///< 0: no suffix
  friend auto operator<=>(const RotatedOrder&, const RotatedOrder&) = default;
};

/// @brief The second (rounded down) of a window end.
std::string rotation_stamp(std::int64_t window_end_ns);

/// @brief The order of the file that follows `last`, with a first row that ends at `window_end_ns`: never before
/// `last`, so that a revision of an old window does not overwrite an older file.
RotatedOrder next_rotated(const RotatedOrder& last, std::int64_t window_end_ns);

std::string rotated_path(std::string_view path, const RotatedOrder& order);

struct RotatedFile {
  RotatedOrder order;
  std::string path;
};
/// @brief The files beside `path` that have a rotated name of it, in order. @throws Error when the directory cannot be
/// read.
std::vector<RotatedFile> rotated_files(FileSystem& file_system, const std::string& path);

}  // namespace weir::sink
