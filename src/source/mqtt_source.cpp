#include "source/mqtt_source.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/arrival_clock.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "source/mqtt_options.hpp"

namespace weir::source {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstWait = 250ms;
constexpr std::chrono::milliseconds kLongestWait = 15s;
constexpr std::chrono::seconds kStartWait = 5s;
// Longer than Paho's own connect timeout: reached only if Paho never answers.
constexpr std::chrono::seconds kAnswerWait = 10s;
constexpr std::chrono::seconds kDisconnectWait = 2s;
// A consumer that reads at all makes room within milliseconds; brokers give up on a client after seconds.
constexpr std::chrono::seconds kLongestBlock = 2s;
// How often a source that was told to wait asks whether there is room again.
constexpr std::chrono::milliseconds kRoomPoll = 100ms;

class MqttSource final : public Source, private paho::iaction_listener {
 public:
  MqttSource(const spec::Source& spec, std::string stream, std::uint32_t index, batch::MessageConsumer& consumer)
      : spec_(spec), stream_(std::move(stream)), index_(index), consumer_(consumer) {}
  ~MqttSource() override { stop(); }

  void start() override;
  void stop() override;

 private:
  enum class Link : std::uint8_t { unknown, up, down };
  struct Kept {
    std::string payload, topic;
    batch::MessageView message;
  };

  // In Paho's thread, under its lock: they copy, set a flag, and return.
  void on_message(const paho::message& message) noexcept;
  void on_success(const paho::token&) override { wake(); }
  void on_failure(const paho::token&) override { wake(); }
  /// Who waits looks at the token: the answer can be that of an earlier action, which was given up.
  void wake() {
    { const std::lock_guard lock(mutex_); }
    changed_.notify_all();
  }
  [[nodiscard]] bool stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }
  void note(bool& flag) {
    {
      const std::lock_guard lock(mutex_);
      flag = true;
    }
    changed_.notify_all();
  }

  // In the source's thread.
  void thread_main();
  void run();
  mqtt::Outcome connect_and_subscribe();
  template <class Action>
  mqtt::Outcome perform(Action action);
  void wait_while_connected();
  void disconnect();
  void hand_over_kept();
  [[noreturn]] void end_unacknowledged() const;
  void report(Link link, const mqtt::Outcome& outcome);

  const spec::Source spec_;
  const std::string stream_;
  const std::uint32_t index_;
  batch::MessageConsumer& consumer_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool lost_ = false;
  bool stalled_ = false;  // a message could not be handed on
  bool stopping_ = false;
  bool first_known_ = false;
  mqtt::Outcome first_;
  std::string lost_why_;
  std::vector<Kept> kept_;  // acknowledged, not handed on yet; in order
  std::uint64_t retained_dropped_ = 0;

  std::atomic<bool> keeping_{false};  // kept_ is not empty: what comes goes behind it
  Link link_ = Link::unknown;
  std::mutex joining_;
  std::thread thread_;
  std::unique_ptr<paho::async_client> client_;
};

void MqttSource::start() {
  if (spec_.qos == 2 && spec_.mqtt_version < 5 && spec_.persistence_dir.empty()) {
    log::warn(
        "stream '{}': with MQTT 3.1.1 a crash can lose QoS 2 messages in flight; set persistence_dir, or "
        "mqtt_version = 5",
        stream_);
  }
  try {
    client_ = mqtt::make_client(endpoint_of(spec_), spec_.persistence_dir);
  } catch (const Error& error) {
    throw Error(fmt::format("stream '{}': {}", stream_, error.what()));
  }
  client_->set_message_callback([this](const paho::const_message_ptr& message) { on_message(*message); });
  client_->set_connection_lost_handler([this](const std::string&) { note(lost_); });
  client_->set_disconnected_handler([this](const paho::properties&, paho::ReasonCode reason) {
    {
      const std::lock_guard lock(mutex_);
      lost_why_ = paho::exception::reason_code_str(static_cast<int>(reason));
    }
    note(lost_);
  });
  thread_ = std::thread([this] { thread_main(); });
  mqtt::Outcome first;
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kStartWait, [this] { return first_known_; });
    first = first_;
  }
  if (first.refused) {
    stop();
    throw Error(fmt::format("stream '{}': broker '{}' refused: {}", stream_, spec_.broker, first.text));
  }
}

void MqttSource::stop() {
  note(stopping_);
  const std::lock_guard lock(joining_);
  if (thread_.joinable()) {
    thread_.join();
  }
}

void MqttSource::on_message(const paho::message& message) noexcept {
  if (message.is_retained() && !spec_.retained) {
    const std::lock_guard lock(mutex_);
    ++retained_dropped_;
    return;
  }
  const paho::binary_ref& payload = message.get_payload_ref();
  const paho::string_ref& topic = message.get_topic_ref();
  batch::MessageView view;
  view.payload = {payload.data(), payload.length()};
  view.topic = {topic.data(), topic.length()};
  view.arrival_ns = arrival_clock_ns();
  view.source = index_;
  view.delivery = message.get_qos() == 0 ? batch::Delivery::shed : batch::Delivery::hold_back;
  view.duplicate = message.is_duplicate();
  if (view.delivery == batch::Delivery::shed) {
    consumer_.offer(view);  // counts what it sheds
    return;
  }
  if (!keeping_.load(std::memory_order_relaxed)) {
    const batch::Accepted accepted = consumer_.offer_until(view, Clock::now() + kLongestBlock);
    if (accepted == batch::Accepted::yes_full) {
      note(stalled_);
    }
    if (accepted == batch::Accepted::broken) {
      end_unacknowledged();
    }
    if (accepted != batch::Accepted::full) {
      return;
    }
  }
  {
    const std::lock_guard lock(mutex_);
    kept_.push_back({std::string(view.payload), std::string(view.topic), view});
    keeping_.store(true, std::memory_order_relaxed);
  }
  note(stalled_);
}

// Once the callback returns, Paho acknowledges; there is no other way to keep it from that. What is in the journal is
// safe, and the broker delivers this message to the next process.
void MqttSource::end_unacknowledged() const {
  log::critical("stream '{}': the journal cannot take a message of broker '{}'; ending at once, unacknowledged",
                stream_, spec_.broker);
  std::_Exit(1);
}

void MqttSource::thread_main() {
  try {
    run();
    hand_over_kept();
  } catch (const std::exception& error) {
    consumer_.failed(index_, error.what());
  }
  client_.reset();  // after this no callback runs
  if (retained_dropped_ > 0) {
    log::info("stream '{}': {} retained messages were not taken", stream_, retained_dropped_);
  }
}

void MqttSource::run() {
  std::chrono::milliseconds wait = kFirstWait;
  for (;;) {
    const mqtt::Outcome outcome = connect_and_subscribe();
    bool first = false;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        break;
      }
      first = !std::exchange(first_known_, true);
      if (first) {
        first_ = outcome;
      }
    }
    changed_.notify_all();
    if (first && outcome.refused) {
      break;  // start() throws
    }
    report(outcome.ok ? Link::up : Link::down, outcome);
    if (outcome.ok) {
      wait = kFirstWait;
      wait_while_connected();
    } else {
      disconnect();
    }
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, wait, [this] { return stopping_; })) {
      break;
    }
    wait = std::min(2 * wait, kLongestWait);
  }
  disconnect();
}

mqtt::Outcome MqttSource::connect_and_subscribe() {
  {
    const std::lock_guard lock(mutex_);
    lost_ = false;
    stalled_ = false;
    lost_why_.clear();
  }
  mqtt::Outcome outcome = perform([this] {
    return client_->connect(mqtt::make_connect_options(endpoint_of(spec_), connection_of(spec_)), nullptr, *this);
  });
  if (!outcome.ok && !stopping()) {
    outcome = mqtt::with_tls_reason(std::move(outcome), endpoint_of(spec_));
  }
  // One by one: Paho C++ 1.2.0 hands a dangling list of options on when several topics go together.
  for (const std::string& topic : spec_.topics) {
    if (!outcome.ok) {
      break;
    }
    paho::token_ptr token;
    const mqtt::Outcome performed = perform([&] {
      return token = client_->subscribe(subscription_filter(topic), spec_.qos, nullptr, *this,
                                        make_subscribe_options(spec_));
    });
    outcome = outcome_of_subscribe(performed, token.get(), topic);
  }
  return outcome;
}

/// Begins an action and waits for its end.
template <class Action>
mqtt::Outcome MqttSource::perform(Action action) {
  try {
    const paho::token_ptr token = action();
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kAnswerWait, [&] { return token->is_complete() || stopping_ || lost_; });
      if (stopping_) {
        return {false, false, "stopping", 0};
      }
      if (!token->is_complete()) {
        return {false, false, lost_ ? "the connection was lost" : "no answer", 0};
      }
    }
    token->try_wait();
    return {true, false, {}, 0};
  } catch (const paho::exception& error) {
    return mqtt::outcome_of(error, spec_.mqtt_version);
  }
}

void MqttSource::wait_while_connected() {
  bool stalled = false;
  mqtt::Outcome lost;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return lost_ || stalled_ || stopping_; });
    stalled = stalled_;
    lost.text = !lost_why_.empty() ? lost_why_ : "the connection was lost";
    if (stopping_) {
      return;
    }
  }
  if (stalled) {
    lost.text = "the pipeline stands still; receiving goes on when it does";
  }
  report(Link::down, lost);
  disconnect();
  hand_over_kept();
  std::unique_lock lock(mutex_);
  while (stalled && !consumer_.has_room() && !changed_.wait_for(lock, kRoomPoll, [this] { return stopping_; })) {
  }
}

void MqttSource::disconnect() {
  try {
    if (client_->is_connected()) {
      client_->disconnect()->wait_for(kDisconnectWait);
    }
  } catch (const paho::exception&) {
    // It was not connected any more.
  }
}

void MqttSource::hand_over_kept() {
  std::size_t refused = 0;
  for (;;) {
    std::vector<Kept> kept;
    {
      const std::lock_guard lock(mutex_);
      kept.swap(kept_);
      if (kept.empty()) {
        keeping_.store(false, std::memory_order_relaxed);
        break;
      }
    }
    for (Kept& one : kept) {
      one.message.payload = one.payload;
      one.message.topic = one.topic;
      refused += consumer_.offer(one.message) == batch::Accepted::stopped ? 1U : 0U;
    }
  }
  if (refused > 0) {
    log::warn("stream '{}': {} acknowledged messages were not taken before the stop", stream_, refused);
  }
}

void MqttSource::report(Link link, const mqtt::Outcome& outcome) {
  if (std::exchange(link_, link) == link) {
    return;
  }
  if (link == Link::up) {
    log::info("stream '{}': receiving from broker '{}'", stream_, spec_.broker);
  } else {
    log::warn("stream '{}': broker '{}': {}; trying again", stream_, spec_.broker, outcome.text);
  }
}

}  // namespace

std::unique_ptr<Source> make_mqtt_source(const spec::Source& spec, const std::string& stream, std::uint32_t index,
                                         batch::MessageConsumer& consumer) {
  return std::make_unique<MqttSource>(spec, stream, index, consumer);
}

}  // namespace weir::source
