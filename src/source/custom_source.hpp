// Wraps a user's Receiver (weir/receiver.hpp) as a source.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "source/source.hpp"
#include "weir/receiver.hpp"

namespace weir::source {

class CustomSource final : public Source, private Emitter {
 public:
  /// @throws Error when there is no receiver.
  CustomSource(const spec::Source& spec, const std::string& stream, std::uint32_t index,
               batch::MessageConsumer& consumer);
  ~CustomSource() override { stop(); }

  void start() override;
  void stop() override;

 private:
  bool store(std::string_view payload, std::string_view topic) override;
  void finish() override;
  void fail(const std::string& what) override;
  [[nodiscard]] bool stopped() const override { return stopped_.load(std::memory_order_acquire); }

  const std::shared_ptr<Receiver> receiver_;
  const std::string stream_;
  const std::uint32_t index_;
  batch::MessageConsumer& consumer_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> ended_{false};  // finish() or fail() was called
  std::atomic<std::uint64_t> stored_{0};
  std::shared_mutex storing_;  // shared: a call into the consumer; unique: stop(), which waits for them
  std::mutex stopping_;
  bool started_ = false;
};

}  // namespace weir::source
