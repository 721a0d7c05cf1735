#include "sink/full_disk.hpp"

#include "core/log.hpp"

namespace weir::sink {

void FullDisk::retry(const std::string& path, const std::function<void()>& attempt) {
  const auto began = std::chrono::steady_clock::now();
  for (bool waiting = false;;) {
    try {
      attempt();
      if (waiting) {
        const auto took = std::chrono::steady_clock::now() - began;
        log::info("there is room for '{}' again: going on after {} s", path,
                  std::chrono::duration_cast<std::chrono::seconds>(took).count());
      }
      return;
    } catch (const FileError& error) {
      if (!error.full()) throw;
      std::unique_lock lock(mutex_);
      if (stop_) throw;
      if (!waiting) log::warn("{}: the rows are kept, input waits until there is room", error.what());
      waiting = true;
      if (interrupted_.wait_for(lock, pause_, [this] { return stop_; })) throw;
    }
  }
}

void FullDisk::interrupt() noexcept {
  const std::scoped_lock lock(mutex_);
  stop_ = true;
  interrupted_.notify_all();
}

}  // namespace weir::sink
