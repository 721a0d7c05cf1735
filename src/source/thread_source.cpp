#include "source/thread_source.hpp"

#include <exception>

namespace weir::source {

void ThreadSource::start() {
  open();
  thread_ = std::thread([this] { thread_main(); });
}

void ThreadSource::stop() {
  stop_.set();
  const std::lock_guard lock(joining_);
  if (thread_.joinable()) {
    thread_.join();
  }
}

void ThreadSource::thread_main() {
  try {
    if (run()) {
      consumer_.finished(index_);
    }
  } catch (const std::exception& error) {
    consumer_.failed(index_, error.what());
  }
}

}  // namespace weir::source
