#include "source/mqtt_source.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/printable.hpp"
#include "source/mqtt_admission.hpp"
#include "source/mqtt_connection.hpp"
#include "source/mqtt_options.hpp"

namespace weir::source {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstWait = 250ms;
constexpr std::chrono::milliseconds kLongestWait = 15s;
constexpr std::chrono::seconds kStartWait = 5s;
// A consumer that reads at all makes room within milliseconds; brokers give up on a client after seconds.
constexpr std::chrono::seconds kLongestBlock = 2s;
// How often a source that was told to wait asks whether there is room again.
constexpr std::chrono::milliseconds kRoomPoll = 100ms;
// A connection that ends sooner, again and again, is ended by something that a quick reconnect makes worse.
constexpr std::chrono::seconds kShortLife = 20s;
constexpr int kShortLivesToTell = 3;

class MqttSource final : public Source {
 public:
  MqttSource(const spec::Source& spec, std::string stream, std::uint32_t index, batch::MessageConsumer& consumer,
             const SourceOptions& options)
      : spec_(spec),
        stream_(std::move(stream)),
        index_(index),
        consumer_(consumer),
        admission_(spec_),
        connection_(spec_, stream_, options, admission_) {}
  ~MqttSource() override { stop(); }

  void start() override;
  void stop() override;

 private:
  struct Kept {
    std::string payload, topic;
    batch::MessageView message;
  };

  // In Paho's thread, under its lock: they copy, set a flag, and return.
  void on_message(const paho::message& message) noexcept;
  void refuse(batch::MessageView& view, batch::Malformed reason);
  void hand_on(const batch::MessageView& view);

  // In the source's thread.
  void thread_main();
  void run();
  void hand_over_kept();
  [[noreturn]] void end_unacknowledged() const;
  void say_up();
  void say_down(const std::string& why);

  const spec::Source spec_;
  const std::string stream_;
  const std::uint32_t index_;
  batch::MessageConsumer& consumer_;
  MqttAdmission admission_;
  MqttConnection connection_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool first_known_ = false;
  mqtt::Outcome first_;
  std::vector<Kept> kept_;  // acknowledged, not handed on yet; in order
  std::uint64_t retained_dropped_ = 0;

  std::atomic<bool> keeping_{false};  // kept_ is not empty: what comes goes behind it
  std::set<batch::Malformed> refusals_told_;
  bool up_ = false;
  std::set<std::string> said_;  // why it is down, since it was up
  std::mutex joining_;
  std::thread thread_;
};

void MqttSource::start() {
  if (spec_.qos == 2 && spec_.mqtt_version < 5 && spec_.persistence_dir.empty()) {
    log::warn(
        "stream '{}': with MQTT 3.1.1 a crash can lose QoS 2 messages in flight; set persistence_dir, or "
        "mqtt_version = 5",
        stream_);
  }
  connection_.create([this](const paho::message& message) { on_message(message); });
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
  connection_.stop();
  const std::lock_guard lock(joining_);
  if (thread_.joinable()) {
    thread_.join();
  }
}

void MqttSource::on_message(const paho::message& message) noexcept {
  connection_.heard();
  const paho::binary_ref& payload = message.get_payload_ref();
  const paho::string_ref& topic = message.get_topic_ref();
  batch::MessageView view;
  view.payload = {payload.data(), payload.length()};
  view.topic = {topic.data(), topic.length()};
  view.source = index_;
  view.delivery = message.get_qos() == 0 ? batch::Delivery::shed : batch::Delivery::hold_back;
  view.duplicate = message.is_duplicate();
  switch (admission_.judge(message)) {
    case MqttAdmission::Verdict::retained: {
      const std::lock_guard lock(mutex_);
      ++retained_dropped_;
      return;
    }
    case MqttAdmission::Verdict::other_topic:
      refuse(view, batch::Malformed::other_topic);
      connection_.not_asked_for(view.topic);
      break;
    case MqttAdmission::Verdict::too_large:
      refuse(view, batch::Malformed::too_large);
      break;
    case MqttAdmission::Verdict::take:
      break;
  }
  hand_on(view);
}

void MqttSource::refuse(batch::MessageView& view, batch::Malformed reason) {
  if (refusals_told_.insert(reason).second) {
    if (reason == batch::Malformed::too_large) {
      log::warn(
          "stream '{}': a message of {} bytes on '{}' is above max_message ({} bytes); such messages are "
          "refused ({})",
          stream_, view.payload.size(), printable(view.topic), spec_.max_message, name(reason));
    } else {
      log::warn(
          "stream '{}': broker '{}' sends what no topic of the source asks for, such as '{}': subscribed by an earlier "
          "configuration with this client_id? Such messages are refused ({}), and the broker is told to drop what "
          "brings them",
          stream_, spec_.broker, printable(view.topic), name(reason));
    }
  }
  view.refused = reason;
  view.payload = view.payload.substr(0, batch::kRefusedSample);
}

void MqttSource::hand_on(const batch::MessageView& view) {
  if (view.delivery == batch::Delivery::shed) {
    consumer_.offer(view);  // counts what it sheds
    return;
  }
  if (!keeping_.load(std::memory_order_relaxed)) {
    const batch::Accepted accepted = consumer_.offer_until(view, Clock::now() + kLongestBlock);
    if (accepted == batch::Accepted::yes_full) {
      connection_.stall();
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
  connection_.stall();
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
  connection_.destroy();  // after this no callback runs
  if (retained_dropped_ > 0) {
    log::info("stream '{}': {} retained messages were not taken", stream_, retained_dropped_);
  }
}

void MqttSource::run() {
  std::chrono::milliseconds wait = kFirstWait;
  int short_lives = 0;
  for (;;) {
    const mqtt::Outcome outcome = connection_.open();
    if (connection_.stopping()) {
      break;
    }
    bool first = false;
    {
      const std::lock_guard lock(mutex_);
      first = !std::exchange(first_known_, true);
      if (first) {
        first_ = outcome;
      }
    }
    changed_.notify_all();
    if (first && outcome.refused) {
      break;  // start() throws
    }
    MqttConnection::End end = MqttConnection::End::lost;
    if (outcome.ok) {
      say_up();
      const Clock::time_point since = Clock::now();
      std::string why;
      end = connection_.wait(why);
      if (end == MqttConnection::End::stopped) {
        break;
      }
      short_lives = end == MqttConnection::End::lost && Clock::now() - since < kShortLife ? short_lives + 1 : 0;
      wait = std::min<std::chrono::milliseconds>(kFirstWait * (1 << std::clamp(short_lives - 1, 0, 10)), kLongestWait);
      if (short_lives >= kShortLivesToTell && !spec_.client_id.empty()) {
        why += fmt::format(" soon after it was made, {} times in a row; is client_id '{}' in use twice?", short_lives,
                           printable(spec_.client_id));
      }
      say_down(why);
    } else {
      say_down(outcome.text);
      short_lives = 0;
    }
    connection_.close();
    hand_over_kept();
    while (end == MqttConnection::End::stalled && !consumer_.has_room() && !connection_.sleep(kRoomPoll)) {
    }
    if (connection_.sleep(wait)) {
      break;
    }
    if (!outcome.ok) {
      wait = std::min(2 * wait, kLongestWait);
    }
  }
  connection_.close();
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

void MqttSource::say_up() {
  said_.clear();
  if (!std::exchange(up_, true)) {
    log::info("stream '{}': receiving from broker '{}'", stream_, spec_.broker);
  }
}

// Each cause once: a broker that is away stays away for the same reason, and comes back for another.
void MqttSource::say_down(const std::string& why) {
  up_ = false;
  if (said_.insert(why).second) {
    log::warn("stream '{}': broker '{}': {}; trying again", stream_, spec_.broker, why);
  }
}

}  // namespace

std::unique_ptr<Source> make_mqtt_source(const spec::Source& spec, const std::string& stream, std::uint32_t index,
                                         batch::MessageConsumer& consumer, const SourceOptions& options) {
  return std::make_unique<MqttSource>(spec, stream, index, consumer, options);
}

}  // namespace weir::source
