// What a list of files, globs and directories names, in the order in which it is to be read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir {

/// @brief Whether `a` comes before `b` where runs of digits are compared as numbers: part-2 before part-10. Names that
/// are equal so are ordered bytewise.
bool natural_less(std::string_view a, std::string_view b) noexcept;

/// @brief Whether the text has a character that means something in a glob.
bool is_glob(std::string_view path) noexcept;

struct FileList {
  std::vector<std::string> files;     ///< each once, in order
  std::vector<std::string> mistakes;  ///< one line for each entry that cannot be read, and why
};

/// @brief The entries one after the other: a file that is there as it is spelt, a glob as the files that it matches, a
/// directory as the files in it, both in natural order. In a directory, names that begin with '.' or end in ".tmp" or
/// ".part", symbolic links and directories are left out.
FileList list_files(const std::vector<std::string>& entries);

}  // namespace weir
