// A user's receiver as a source.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "core/error.hpp"
#include "source/collector.hpp"
#include "source/source.hpp"
#include "support/process.hpp"
#include "weir/receiver.hpp"

namespace weir::source {
namespace {

using test::eventually;

std::unique_ptr<Source> make(std::shared_ptr<Receiver> receiver, Collector& collector) {
  spec::Source spec;
  spec.kind = spec::SourceKind::custom;
  spec.receiver = std::move(receiver);
  return make_source(spec, "own", 4, collector, {});
}

class Counting final : public Receiver {
 public:
  explicit Counting(int end) : end_(end) {}
  void on_start(Emitter& emitter) override {
    for (int i = 0; i < end_ && emitter.store("m" + std::to_string(i), "a/b"); ++i) {
    }
    emitter.finish();
    EXPECT_FALSE(emitter.store("after the end"));
    emitter.finish();
  }

 private:
  int end_;
};

TEST(Custom, ReceiverMayEnd) {
  Collector collector;
  const auto source = make(std::make_shared<Counting>(1'000), collector);
  source->start();
  ASSERT_TRUE(eventually([&] { return collector.finishes() == 1; }));
  source->stop();
  ASSERT_EQ(collector.count(), 1'000U);
  EXPECT_EQ(collector.all()[999].payload, "m999");
  EXPECT_EQ(collector.all()[999].topic, "a/b");
  EXPECT_EQ(collector.all()[999].source, 4U);
  EXPECT_EQ(collector.all()[999].delivery, batch::Delivery::hold_back);
  EXPECT_EQ(collector.finishes(), 1);
}

class Threaded final : public Receiver {
 public:
  void on_start(Emitter& emitter) override {
    for (std::thread& thread : threads_) {
      thread = std::thread([&] {
        while (emitter.store("x")) {
        }
        EXPECT_TRUE(emitter.stopped());
      });
    }
  }
  void on_stop() override {
    for (std::thread& thread : threads_) {
      thread.join();
    }
    stopped = true;
  }
  std::atomic<bool> stopped{false};

 private:
  std::thread threads_[3];
};

TEST(Custom, ReceiverWithThreadsOfItsOwnIsStoppedOnceAndStoresNothingAfterwards) {
  Collector collector;
  const auto receiver = std::make_shared<Threaded>();
  const auto source = make(receiver, collector);
  source->start();
  ASSERT_TRUE(eventually([&] { return collector.count() > 100; }));
  source->stop();
  EXPECT_TRUE(receiver->stopped);
  const std::size_t count = collector.count();
  source->stop();
  EXPECT_EQ(collector.count(), count);
  EXPECT_EQ(collector.finishes(), 0);
}

class Failing final : public Receiver {
 public:
  void on_start(Emitter&) override { throw std::runtime_error("the bus does not answer"); }
};

TEST(Custom, ExceptionInOnStartIsAnErrorOfStart) {
  Collector collector;
  const auto source = make(std::make_shared<Failing>(), collector);
  try {
    source->start();
    FAIL() << "started";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "stream 'own': the receiver cannot start: the bus does not answer");
  }
  EXPECT_EQ(collector.finishes(), 0);
}

class GivingUp final : public Receiver {
 public:
  void on_start(Emitter& emitter) override { emitter.fail("the bus fell silent"); }
};

TEST(Custom, ReceiverMayFail) {
  Collector collector;
  const auto source = make(std::make_shared<GivingUp>(), collector);
  source->start();
  EXPECT_EQ(collector.failures(), (std::vector<std::string>{"the bus fell silent"}));
}

TEST(Custom, NoReceiverIsAnError) {
  Collector collector;
  EXPECT_THROW(make(nullptr, collector), Error);
}

TEST(Custom, NeverStartedReceiverIsNotStopped) {
  Collector collector;
  const auto receiver = std::make_shared<Threaded>();
  make(receiver, collector)->stop();
  EXPECT_FALSE(receiver->stopped);
}

}  // namespace
}  // namespace weir::source
