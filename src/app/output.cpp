#include "app/output.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "core/error.hpp"
#include "core/log.hpp"

namespace weir::app {
namespace {

[[noreturn]] void fail() {
  throw Error(std::string("cannot write to standard output: ") +
              (errno != 0 ? std::strerror(errno) : "a part of it was lost"));
}

}  // namespace

void put_output_line(std::string_view line) {
  const std::string text = log::shown(line) + '\n';
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail();
}

void put_output(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    put_output_line(line);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
}

void flush_output() {
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) fail();
}

}  // namespace weir::app
