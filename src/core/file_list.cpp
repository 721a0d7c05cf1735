#include "core/file_list.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <unordered_set>
#include <utility>

#include "core/printable.hpp"

namespace weir {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// The run of digits at the front, without leading zeros; taken off `text`.
std::string_view take_number(std::string_view& text) noexcept {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) {
    ++digits;
  }
  std::string_view number = text.substr(0, digits);
  text.remove_prefix(digits);
  number.remove_prefix(std::min(number.size(), number.find_first_not_of('0')));
  return number;
}

class Lister {
 public:
  FileList list(const std::vector<std::string>& entries) {
    for (const std::string& entry : entries) {
      struct ::stat status {};
      if (::stat(entry.c_str(), &status) == 0) {
        add(entry);
      } else if (is_glob(entry) && errno == ENOENT) {
        glob(entry);
      } else {
        mistake(entry, std::strerror(errno));
      }
    }
    return std::move(list_);
  }

 private:
  void mistake(const std::string& path, std::string_view why) {
    list_.mistakes.push_back(fmt::format("cannot read '{}': {}", printable(path), why));
  }

  void add(const std::string& path) {
    struct ::stat status {};
    if (::stat(path.c_str(), &status) != 0) {
      mistake(path, std::strerror(errno));
    } else if (S_ISDIR(status.st_mode)) {
      directory(path);
    } else if (!S_ISREG(status.st_mode)) {
      mistake(path, "it is no file; a pipe can only be the single input of its stream");
    } else if (seen_.insert(path).second) {
      list_.files.push_back(path);
    }
  }

  void glob(const std::string& pattern) {
    ::glob_t found{};
    const int failed = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
    const std::unique_ptr<::glob_t, void (*)(::glob_t*)> owner(&found, &::globfree);
    if (failed != 0) {
      mistake(pattern, failed == GLOB_NOMATCH ? "no file matches" : "the directory cannot be listed");
      return;
    }
    std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    std::sort(paths.begin(), paths.end(), natural_less);
    for (const std::string& path : paths) {
      add(path);
    }
  }

  void directory(const std::string& path) {
    const std::unique_ptr<::DIR, int (*)(::DIR*)> directory(::opendir(path.c_str()), &::closedir);
    if (!directory) {
      mistake(path, std::strerror(errno));
      return;
    }
    std::vector<std::string> names;
    while (const ::dirent* entry = ::readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      struct ::stat status {};
      if (!name.starts_with('.') && !name.ends_with(".tmp") && !name.ends_with(".part") &&
          ::fstatat(::dirfd(directory.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
          S_ISREG(status.st_mode)) {
        names.emplace_back(name);
      }
    }
    if (names.empty()) {
      mistake(path, "the directory has no files");
      return;
    }
    std::sort(names.begin(), names.end(), natural_less);
    const std::string prefix = path.ends_with('/') ? path : path + '/';
    for (const std::string& name : names) {
      add(prefix + name);
    }
  }

  FileList list_;
  std::unordered_set<std::string> seen_;
};

}  // namespace

bool natural_less(std::string_view a, std::string_view b) noexcept {
  const std::string_view whole_a = a;
  const std::string_view whole_b = b;
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const std::string_view left = take_number(a);
      const std::string_view right = take_number(b);
      if (left != right) {
        return left.size() != right.size() ? left.size() < right.size() : left < right;
      }
      continue;
    }
    if (a.front() != b.front()) {
      return static_cast<unsigned char>(a.front()) < static_cast<unsigned char>(b.front());
    }
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  if (a.empty() && b.empty()) {
    return whole_a < whole_b;
  }
  return a.empty();
}

bool is_glob(std::string_view path) noexcept {
  return path.find_first_of("*?[") != std::string_view::npos;
}

FileList list_files(const std::vector<std::string>& entries) {
  return Lister().list(entries);
}

}  // namespace weir
