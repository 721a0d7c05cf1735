// A receiver of your own: anything that can call store() feeds a stream.
#include <atomic>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <weir/weir.hpp>
using namespace weir::literals;

// Counts down once, then ends.
class Countdown final : public weir::Receiver {
 public:
  void on_start(weir::Emitter& emitter) override {
    thread_ = std::thread([this, &emitter] {
      for (int i = 1000; i > 0 && !stop_; --i) {
        emitter.store("{\"left\":" + std::to_string(i) + ",\"t\":" + std::to_string(1'700'000'000 + 1000 - i) + "}");
      }
      emitter.finish();
    });
  }
  void on_stop() override {
    stop_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

int main() try {
  weir::Schema schema;
  schema.fields = {{"left", 0}};
  schema.time = "t";
  weir::StreamingContext context;
  context.receiver_stream(std::make_shared<Countdown>(), schema)
      .reduce_by_key_and_window({weir::count(), weir::min("left"), weir::max("left")}, 100s)
      .print();
  context.start();
  context.await_termination();
  std::cerr << context.summary();
  return context.ledger_balances() ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << "custom_receiver: " << error.what() << '\n';
  return 1;
}
