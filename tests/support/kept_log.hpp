// Keeps what the rooms write to the log while it lives, in place of showing it.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "core/log.hpp"

namespace weir::test {

class KeptLog {
 public:
  KeptLog() {
    log::set_writer(
        [this](log::Level, std::string_view line) {
          const std::lock_guard lock(mutex_);
          text_.append(line).append("\n");
        },
        log::Level::info);
  }
  ~KeptLog() { log::set_writer({}, log::Level::critical); }
  KeptLog(const KeptLog&) = delete;
  KeptLog& operator=(const KeptLog&) = delete;

  [[nodiscard]] std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  /// @brief How often the words are in it.
  [[nodiscard]] int times(std::string_view words) const {
    const std::string all = text();
    int n = 0;
    for (std::size_t at = all.find(words); at != std::string::npos; at = all.find(words, at + 1)) ++n;
    return n;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace weir::test
