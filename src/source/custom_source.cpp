#include "source/custom_source.hpp"

#include <fmt/format.h>
#include <exception>

#include "core/error.hpp"
#include "core/log.hpp"

namespace weir::source {

CustomSource::CustomSource(const spec::Source& spec, const std::string& stream, std::uint32_t index,
                           batch::MessageConsumer& consumer)
    : receiver_(spec.receiver), stream_(stream), index_(index), consumer_(consumer) {
  if (!receiver_) {
    throw Error(fmt::format("stream '{}': the custom source has no receiver", stream));
  }
}

void CustomSource::start() {
  const std::lock_guard lock(stopping_);
  try {
    receiver_->on_start(*this);
  } catch (const std::exception& error) {
    throw Error(fmt::format("stream '{}': the receiver cannot start: {}", stream_, error.what()));
  }
  started_ = true;
}

void CustomSource::stop() {
  const std::lock_guard lock(stopping_);
  stopped_.store(true, std::memory_order_release);
  // A store() that had begun before is let through; after this none begins.
  { const std::unique_lock wait_for_calls(storing_); }
  if (!started_) {
    return;
  }
  started_ = false;
  try {
    receiver_->on_stop();
  } catch (const std::exception& error) {
    log::error("stream '{}': the receiver's on_stop failed: {}", stream_, error.what());
  }
}

bool CustomSource::store(std::string_view payload, std::string_view topic) {
  const std::shared_lock lock(storing_);
  if (stopped() || ended_.load(std::memory_order_acquire)) {
    return false;
  }
  batch::MessageView message;
  message.payload = payload;
  message.topic = topic;
  message.source = index_;
  message.starts_file = stored_.fetch_add(1, std::memory_order_relaxed) == 0;
  return consumer_.offer(message) != batch::Accepted::stopped;
}

void CustomSource::finish() {
  const std::shared_lock lock(storing_);
  if (!stopped() && !ended_.exchange(true)) {
    consumer_.finished(index_);
  }
}

void CustomSource::fail(const std::string& what) {
  const std::shared_lock lock(storing_);
  if (!stopped() && !ended_.exchange(true)) {
    consumer_.failed(index_, what);
  }
}

}  // namespace weir::source
