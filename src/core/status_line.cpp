#include "core/status_line.hpp"

#include <unistd.h>

#include <cstdio>
#include <mutex>
#include <string>

namespace weir::status_line {
namespace {

constexpr std::string_view kClear = "\r\033[K";

struct Line {
  std::mutex mutex;
  bool there = false;
  bool output_is_terminal = false;
  std::string text;
};

Line& line() {
  static Line only;
  return only;
}

void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace

void begin() {
  Line& shown = line();
  const std::scoped_lock lock(shown.mutex);
  shown.there = true;
  shown.output_is_terminal = ::isatty(STDOUT_FILENO) != 0;
}

void show(std::string_view text) {
  Line& shown = line();
  const std::scoped_lock lock(shown.mutex);
  if (shown.there) {
    shown.text.assign(text);
    put(std::string(kClear) + shown.text);
  }
}

void end() {
  Line& shown = line();
  const std::scoped_lock lock(shown.mutex);
  shown.there = false;
  if (!shown.text.empty()) {
    shown.text.clear();
    put(kClear);
  }
}

Aside::Aside(On stream) : lock_(line().mutex) {
  const Line& shown = line();
  if (!shown.there || (stream == On::output && !shown.output_is_terminal)) {
    lock_.unlock();
  } else if (!shown.text.empty()) {
    put(kClear);
  }
}

Aside::~Aside() {
  if (lock_.owns_lock()) {
    put(line().text);
  }
}

}  // namespace weir::status_line
