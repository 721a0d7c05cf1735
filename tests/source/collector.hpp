// Takes what a source offers and remembers it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "batch/message.hpp"

namespace weir::source {

struct Received {
  std::string payload, topic;
  batch::Delivery delivery;
  bool duplicate, starts_file;
  std::int64_t arrival_ns;
  std::uint32_t source;
  batch::SourcePosition position;
  std::optional<batch::Malformed> refused;
};

class Collector final : public batch::MessageConsumer {
 public:
  batch::Accepted offer(const batch::MessageView& message) override {
    std::unique_lock lock(mutex_);
    ++waiting_;
    open_.wait(lock, [this] { return !closed_gate_; });
    --waiting_;
    return take(message);
  }
  batch::Accepted offer_until(const batch::MessageView& message,
                              std::chrono::steady_clock::time_point deadline) override {
    std::unique_lock lock(mutex_);
    ++waiting_;
    const bool open = open_.wait_until(lock, deadline, [this] { return !closed_gate_; });
    --waiting_;
    if (!open) {
      ++full_;
      return batch::Accepted::full;
    }
    return take(message);
  }
  void finished(std::uint32_t) override {
    const std::lock_guard lock(mutex_);
    ++finished_;
  }
  void failed(std::uint32_t, const std::string& what) override {
    const std::lock_guard lock(mutex_);
    failures_.push_back(what);
  }

  /// @brief With a closed gate everybody waits, as before a full queue.
  void gate(bool closed) {
    const std::lock_guard lock(mutex_);
    closed_gate_ = closed;
    open_.notify_all();
  }
  /// @brief From now on messages are answered `stopped`.
  void refuse() {
    const std::lock_guard lock(mutex_);
    refusing_ = true;
  }

  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return all_.size();
  }
  /// @brief How many calls wait at the gate.
  [[nodiscard]] std::uint64_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }
  [[nodiscard]] std::uint64_t full() const {
    const std::lock_guard lock(mutex_);
    return full_;
  }
  [[nodiscard]] int finishes() const {
    const std::lock_guard lock(mutex_);
    return finished_;
  }
  [[nodiscard]] std::vector<std::string> failures() const {
    const std::lock_guard lock(mutex_);
    return failures_;
  }
  [[nodiscard]] std::vector<Received> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  [[nodiscard]] std::vector<std::string> payloads() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> payloads;
    for (const Received& one : all_) {
      payloads.push_back(one.payload);
    }
    return payloads;
  }
  /// @brief All payloads, one behind the other, but of what was refused.
  [[nodiscard]] std::string text() const {
    std::string text;
    for (const Received& one : all()) {
      text += one.refused ? std::string() : one.payload;
    }
    return text;
  }
  /// @brief How many messages were refused.
  [[nodiscard]] std::size_t refused() const {
    std::size_t count = 0;
    for (const Received& one : all()) {
      count += one.refused ? 1U : 0U;
    }
    return count;
  }

 private:
  batch::Accepted take(const batch::MessageView& message) {
    if (refusing_) {
      return batch::Accepted::stopped;
    }
    all_.push_back({std::string(message.payload),
                    std::string(message.topic),
                    message.delivery,
                    message.duplicate,
                    message.starts_file,
                    message.arrival_ns,
                    message.source,
                    {message.position_offset, std::string(message.position_detail)},
                    message.refused});
    return batch::Accepted::yes;
  }

  mutable std::mutex mutex_;
  std::condition_variable open_;
  bool closed_gate_ = false;
  bool refusing_ = false;
  std::uint64_t waiting_ = 0;
  std::uint64_t full_ = 0;
  int finished_ = 0;
  std::vector<std::string> failures_;
  std::vector<Received> all_;
};

}  // namespace weir::source
