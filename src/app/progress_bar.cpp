#include "app/progress_bar.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "core/status_line.hpp"

namespace weir::app {
namespace {

std::size_t terminal_columns() {
  ::winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string progress_text(std::uint64_t read, std::uint64_t total, double seconds, std::size_t columns) {
  constexpr std::size_t kWidest = 40;    // of the bar
  constexpr std::size_t kNarrowest = 5;  // below this there is none
  const double megabytes = static_cast<double>(read) / 1e6;
  std::string text = fmt::format("{:.1f} MB  {:.0f} MB/s", megabytes, seconds > 0 ? megabytes / seconds : 0.0);
  if (total > 0) {
    const double part = std::min(1.0, static_cast<double>(read) / static_cast<double>(total));
    text = fmt::format("{:3.0f} %  {}", part * 100, text);
    const std::size_t taken = text.size() + 4;  // brackets, a blank, and the last column stays free
    if (taken + kNarrowest <= columns) {
      const std::size_t width = std::min(kWidest, columns - taken);
      const auto filled = static_cast<std::size_t>(part * static_cast<double>(width));
      text = fmt::format("[{:<{}}] {}", std::string(filled, '#'), width, text);
    }
  }
  if (text.size() >= columns) {
    text.resize(columns > 0 ? columns - 1 : 0);
  }
  return text;
}

ProgressBar::ProgressBar() {
  status_line::begin();
}

ProgressBar::~ProgressBar() {
  status_line::end();
}

bool ProgressBar::possible() {
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) != 0 && (terminal == nullptr || std::string_view(terminal) != "dumb");
}

void ProgressBar::operator()(std::uint64_t read, std::uint64_t total) {
  constexpr std::chrono::milliseconds kRedraw{100};
  const auto now = std::chrono::steady_clock::now();
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || now < next_) {
    return;
  }
  next_ = now + kRedraw;
  status_line::show(
      progress_text(read, total, std::chrono::duration<double>(now - begin_).count(), terminal_columns()));
}

}  // namespace weir::app
