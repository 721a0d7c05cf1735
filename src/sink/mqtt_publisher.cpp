#include "sink/mqtt_publisher.hpp"

#include <fmt/core.h>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "mqtt/broker_limits.hpp"
#include "mqtt/outcome.hpp"
#include "mqtt/topic.hpp"
#include "sink/end_of_connection.hpp"

namespace weir::sink {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kFirstRetry(100);
constexpr milliseconds kLastRetry(10'000);
constexpr seconds kConnectTimeout(10);
constexpr seconds kKeepAlive(20);
constexpr milliseconds kWakeAtLeast(100);  // for the retry clock; news from Paho wake at once
constexpr seconds kPatienceBeforeLog(1);
constexpr seconds kBetweenLogs(30);
// A broker that ends the connection for a message does so when it reads it. Later it is the network.
constexpr seconds kBlame(10);
// So long a connection must stand after a message of QoS 0 to show that the broker took it, or with nothing to do to
// show that all is well.
constexpr milliseconds kSettled(500);
constexpr seconds kStands(10);

enum class Delivery : std::uint8_t { queued, sent, acknowledged, refused, lost };

struct Message {
  Message(std::string t, std::string p) : topic(std::move(t)), payload(std::move(p)) {}
  std::string topic;
  std::string payload;
  std::atomic<Delivery> delivery{Delivery::queued};  // Paho's thread leaves `sent`, ours all the others
  std::atomic<int> reason{0};                        // the broker's, 0x80 and above
  std::string why;                                   // of a refusal of our own
};

}  // namespace

struct MqttPublisher::Impl final : paho::iaction_listener {
  Impl(MqttEndpoint e, std::string n, std::size_t w)
      : endpoint(std::move(e)), name(std::move(n)), window(std::max<std::size_t>(w, 1)) {
    if (endpoint.client_id.empty()) endpoint.client_id = mqtt::generated_client_id();
  }
  ~Impl() override { drop_client(); }

  // Paho's threads.
  void on_success(const paho::token& token) override { finish(token, true); }
  void on_failure(const paho::token& token) override { finish(token, false); }
  void finish(const paho::token& token, bool success);
  void wake() {
    {
      const std::lock_guard lock(mutex);
      ++news;
    }
    changed.notify_all();
  }

  // The owner's thread.
  void take(std::string topic, std::string payload);
  void start_connecting();
  void drop_client();
  void refuse(Message& message, std::string reason, std::string why);
  void connection_failed(const mqtt::Outcome& outcome);
  void connection_ended();
  void check_connection();
  void connected_or_not();
  void adopt_limits();
  void all_is_well();
  void forget_acknowledged();
  void acknowledged_front();
  [[nodiscard]] bool without_acknowledgement() const noexcept { return suspect.form().qos == 0; }
  [[nodiscard]] std::uint64_t packet_size(const Message& message) const noexcept {
    return mqtt::publish_packet_size(message.topic.size(), message.payload.size(), suspect.form().qos,
                                     endpoint.mqtt_version);
  }
  void send_queued();
  void pump();
  void wait(std::uint64_t seen, Clock::time_point until);
  [[nodiscard]] std::uint64_t seen_news() {
    const std::lock_guard lock(mutex);
    return news;
  }

  enum class Link : std::uint8_t { down, connecting, up };

  MqttEndpoint endpoint;
  std::string name;
  std::size_t window;
  std::deque<Message> messages;  // oldest first; stable addresses, which Paho gets as contexts
  std::size_t in_flight = 0;     // of messages' front: handed to the client, or refused
  std::vector<RefusedMessage> refused;
  std::unique_ptr<paho::async_client> client;
  paho::token_ptr connecting;
  mqtt::BrokerLimits limits;
  EndOfConnection suspect{{endpoint.qos, endpoint.retain}};
  Link link = Link::down;
  mqtt::Outcome last_outcome;
  Clock::time_point next_try{};
  Clock::time_point up_since{};
  Clock::time_point last_sent{};
  milliseconds first_retry = kFirstRetry;
  milliseconds retry = kFirstRetry;
  bool was_up = false;           // ever
  std::set<std::string> logged;  // why there is no connection, since all was well

  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t news = 0;              // guarded by mutex
  std::atomic<int> connect_result{0};  // 0: pending, 1: connected, 2: failed
  std::atomic<int> disconnect_reason{0};
  std::atomic<bool> lost{false};
  std::atomic<bool> interrupted{false};
};

void MqttPublisher::Impl::finish(const paho::token& token, bool success) {
  if (token.get_type() == paho::token::Type::CONNECT) {
    connect_result = success ? 1 : 2;
  } else if (auto* message = static_cast<Message*>(token.get_user_context()); message != nullptr) {
    // MQTT 3.1.1 has none, for which Paho gives a number of its own.
    const int reason = endpoint.mqtt_version >= 5 ? static_cast<int>(token.get_reason_code()) : 0;
    message->reason = reason >= 0x80 && reason < paho::MQTTPP_V3_CODE ? reason : 0;
    if (success && message->reason == 0) {
      message->delivery = Delivery::acknowledged;
    } else {
      message->delivery = mqtt::is_refusal(message->reason) ? Delivery::refused : Delivery::lost;
    }
  }
  wake();
}

void MqttPublisher::Impl::take(std::string topic, std::string payload) {
  if (std::string mistake = mqtt::topic_mistake(topic); !mistake.empty()) {
    refused.push_back({std::move(topic), std::move(payload),
                       std::string(mqtt::reason_name(MQTTREASONCODE_TOPIC_NAME_INVALID)), std::move(mistake)});
    return;
  }
  messages.emplace_back(std::move(topic), std::move(payload));
}

void MqttPublisher::Impl::start_connecting() {
  client = mqtt::make_client(endpoint);
  client->set_connection_lost_handler([this](const std::string&) {
    lost = true;
    wake();
  });
  client->set_disconnected_handler([this](const paho::properties&, paho::ReasonCode reason) {
    disconnect_reason = static_cast<int>(reason);
    lost = true;
    wake();
  });
  mqtt::ConnectionOptions wanted;
  wanted.keep_alive = kKeepAlive;
  wanted.connect_timeout = kConnectTimeout;
  paho::connect_options options = mqtt::make_connect_options(endpoint, wanted);
  options.set_max_inflight(static_cast<int>(std::min<std::size_t>(window, 65'535)));
  lost = false;
  disconnect_reason = 0;
  connect_result = 0;
  link = Link::connecting;
  try {
    connecting = client->connect(std::move(options), nullptr, *this);
  } catch (const paho::exception& error) {
    connection_failed(mqtt::outcome_of(error, endpoint.mqtt_version));
  }
}

// Paho reports what was in flight as failed while the client goes: after that no message is known to it any more.
void MqttPublisher::Impl::drop_client() {
  connecting.reset();
  client.reset();
  link = Link::down;
  forget_acknowledged();
  // One that was acknowledged behind one that was not is sent again: the order of rows counts for more.
  for (std::size_t i = 0; i < in_flight; ++i) {
    if (messages[i].delivery != Delivery::refused) messages[i].delivery = Delivery::queued;
  }
  in_flight = 0;
}

void MqttPublisher::Impl::refuse(Message& message, std::string reason, std::string why) {
  refused.push_back({std::move(message.topic), std::move(message.payload), std::move(reason), std::move(why)});
}

void MqttPublisher::Impl::connection_failed(const mqtt::Outcome& outcome) {
  const bool at_connect = link == Link::connecting;
  drop_client();
  last_outcome = outcome;
  // A refusal of the first connection is connect()'s to report.
  if ((was_up || !outcome.refused) && logged.insert(outcome.text).second) {
    log::warn("{}: broker {}: {}; trying again, {} rows are held back", name, endpoint.broker,
              at_connect ? mqtt::with_tls_reason(outcome, endpoint).text : outcome.text, messages.size());
  }
  next_try = Clock::now() + retry;
  retry = std::min(retry * 2, kLastRetry);
}

// The broker ended it, or the network did.
void MqttPublisher::Impl::connection_ended() {
  const int reason = disconnect_reason;
  const bool said = reason >= 0x80 && reason <= 0xFF;
  const bool passes = said && !mqtt::is_refusal(reason);
  const bool certain = said && !passes && !mqtt::says_nothing(reason);
  const bool unanswered = last_sent >= up_since && (in_flight > 0 || without_acknowledgement()) &&
                          Clock::now() - last_sent < (in_flight > 0 ? milliseconds(kBlame) : kSettled);
  const bool alone = in_flight == 1;
  const Message* const front = alone ? &messages.front() : nullptr;
  connection_failed({false, false, said ? mqtt::reason_text(reason) : "the connection was lost", reason});
  // Its answer may have come all the same, which shows only now.
  const bool answered = alone && (messages.empty() || &messages.front() != front);
  if (!unanswered || answered || passes) return;
  if (reason == MQTTREASONCODE_QOS_NOT_SUPPORTED && endpoint.qos > 0) {
    limits.maximum_qos = endpoint.qos - 1;
    return adopt_limits();
  }
  if (reason == MQTTREASONCODE_RETAIN_NOT_SUPPORTED && endpoint.retain) {
    limits.retain_available = false;
    return adopt_limits();
  }
  if (suspect.ended(alone, certain) == EndOfConnection::Verdict::go_on) return;
  Message& culprit = messages.front();
  std::string why = said ? mqtt::reason_text(reason)
                         : fmt::format(
                               "the broker ends the connection when it gets it ({} bytes); see what it allows: "
                               "size, QoS, retained messages, access list",
                               packet_size(culprit));
  refuse(culprit, said ? std::string(mqtt::reason_name(reason)) : "connection_ended", std::move(why));
  messages.pop_front();
  // The next one has as many tries, at twice the distance: they may all be like this.
  first_retry = std::min(first_retry * 2, kLastRetry);
  retry = first_retry;
}

void MqttPublisher::Impl::check_connection() {
  if (link == Link::down && Clock::now() >= next_try) start_connecting();
  if (link == Link::connecting && connect_result != 0) connected_or_not();
  if (link != Link::up) return;
  if (lost || !client->is_connected()) {
    connection_ended();
  } else if ((messages.empty() || without_acknowledgement()) && Clock::now() - up_since >= kStands) {
    all_is_well();
  }
}

void MqttPublisher::Impl::connected_or_not() {
  mqtt::Outcome failed{false, false, "the connection was lost", 0};
  try {
    connecting->try_wait();
    limits = mqtt::limits_of(*connecting);
  } catch (const paho::exception& error) {
    connect_result = 2;
    failed = mqtt::outcome_of(error, endpoint.mqtt_version);
  }
  if (connect_result == 2) {
    connection_failed(failed);
    return;
  }
  connecting.reset();
  link = Link::up;
  was_up = true;
  up_since = Clock::now();
  adopt_limits();
}

// What is wanted gives way to what the broker says that it has.
void MqttPublisher::Impl::adopt_limits() {
  if (endpoint.qos > limits.maximum_qos) {
    log::warn("{}: broker {} has no QoS {}: rows go out at QoS {}, the highest that it has", name, endpoint.broker,
              endpoint.qos, limits.maximum_qos);
    endpoint.qos = limits.maximum_qos;
  }
  if (endpoint.retain && !limits.retain_available) {
    log::warn("{}: broker {} has no retained messages: rows go out without 'retain'", name, endpoint.broker);
    endpoint.retain = false;
  }
  suspect.want({endpoint.qos, endpoint.retain});
}

void MqttPublisher::Impl::all_is_well() {
  first_retry = retry = kFirstRetry;
  if (logged.empty()) return;
  log::info("{}: connected to {} again, {} rows wait", name, endpoint.broker, messages.size());
  logged.clear();
}

void MqttPublisher::Impl::forget_acknowledged() {
  while (in_flight > 0) {
    Message& oldest = messages.front();
    const Delivery delivery = oldest.delivery;
    if (delivery == Delivery::refused) {
      const int reason = oldest.reason;
      const std::string why = oldest.why.empty() ? mqtt::reason_text(reason) : std::move(oldest.why);
      refuse(oldest, std::string(mqtt::reason_name(reason)), why);
    } else if (delivery == Delivery::acknowledged) {
      if (without_acknowledgement() && suspect.careful() && Clock::now() - last_sent < kSettled) return;
      acknowledged_front();
    } else {
      return;
    }
    messages.pop_front();
    --in_flight;
  }
}

void MqttPublisher::Impl::acknowledged_front() {
  if (without_acknowledgement() && !suspect.careful()) return;  // it has left, no more is known
  if (suspect.acknowledged()) {
    const PublishForm taken = suspect.form();
    log::warn("{}: broker {} ends the connection for rows with qos = {}{}: they go out with qos = {}{}", name,
              endpoint.broker, endpoint.qos, endpoint.retain ? " and retain = true" : "", taken.qos,
              endpoint.retain && !taken.retain ? " and without retain" : "");
    endpoint.qos = taken.qos;
    endpoint.retain = taken.retain;
  }
  all_is_well();
}

void MqttPublisher::Impl::send_queued() {
  if (link != Link::up) return;
  const std::size_t most = std::min({window, limits.receive_maximum, suspect.window()});
  const PublishForm form = suspect.form();
  while (in_flight < std::min(messages.size(), most)) {
    Message& message = messages[in_flight];
    const std::uint64_t bytes = packet_size(message);
    if (bytes > limits.maximum_packet_size) {
      message.why = fmt::format("its packet has {} bytes, the broker takes {}", bytes, limits.maximum_packet_size);
      message.reason = MQTTREASONCODE_PACKET_TOO_LARGE;
      message.delivery = Delivery::refused;
    }
    if (message.delivery == Delivery::refused) {
      ++in_flight;
      continue;
    }
    message.delivery = Delivery::sent;
    try {
      client->publish(paho::make_message(message.topic, message.payload, form.qos, form.retain), &message, *this);
    } catch (const paho::exception& error) {
      message.delivery = Delivery::queued;
      // Full buffers empty themselves; anything else shows as a lost connection.
      if (error.get_return_code() != MQTTASYNC_MAX_BUFFERED_MESSAGES) lost = true;
      return;
    }
    last_sent = Clock::now();
    ++in_flight;
  }
}

void MqttPublisher::Impl::pump() {
  forget_acknowledged();
  check_connection();
  // A message that failed while the connection stands: only a new connection tells what the broker has.
  if (link == Link::up && in_flight > 0 && messages.front().delivery == Delivery::lost) {
    const int reason = messages.front().reason;
    if (reason == 0) {
      connection_ended();
    } else {
      connection_failed({false, false, mqtt::reason_text(reason), reason});
    }
  }
  send_queued();
  forget_acknowledged();
}

void MqttPublisher::Impl::wait(std::uint64_t seen, Clock::time_point until) {
  std::unique_lock lock(mutex);
  changed.wait_until(lock, std::min(until, Clock::now() + kWakeAtLeast), [&] { return news != seen; });
}

MqttPublisher::MqttPublisher(MqttEndpoint endpoint, std::string name, std::size_t window)
    : impl_(std::make_unique<Impl>(std::move(endpoint), std::move(name), window)) {}

MqttPublisher::~MqttPublisher() = default;

void MqttPublisher::connect() {
  const Clock::time_point deadline = Clock::now() + kConnectTimeout;
  for (;;) {
    const std::uint64_t seen = impl_->seen_news();
    impl_->pump();
    if (impl_->link == Impl::Link::up || impl_->interrupted || Clock::now() >= deadline) return;
    if (impl_->link == Impl::Link::down) {
      if (!impl_->last_outcome.refused) return;
      throw Error(
          fmt::format("broker {} refuses the connection: {}", impl_->endpoint.broker, impl_->last_outcome.text));
    }
    impl_->wait(seen, deadline);
  }
}

void MqttPublisher::submit(std::string topic, std::string payload) {
  impl_->take(std::move(topic), std::move(payload));
  impl_->forget_acknowledged();
  impl_->send_queued();
  Clock::time_point next_log = Clock::now() + kPatienceBeforeLog;
  while (impl_->messages.size() >= impl_->window && !impl_->interrupted) {
    const std::uint64_t seen = impl_->seen_news();
    impl_->pump();
    if (impl_->messages.size() < impl_->window) return;
    if (Clock::now() >= next_log) {
      log::warn("{}: {} rows wait for {}; the pipeline is held back", impl_->name, impl_->messages.size(),
                impl_->endpoint.broker);
      next_log = Clock::now() + kBetweenLogs;
    }
    impl_->wait(seen, Clock::time_point::max());
  }
}

void MqttPublisher::restore(std::string topic, std::string payload) {
  impl_->take(std::move(topic), std::move(payload));
}

void MqttPublisher::pump() {
  impl_->pump();
}

std::size_t MqttPublisher::drain(std::chrono::milliseconds patience) {
  const Clock::time_point deadline = Clock::now() + patience;
  for (;;) {
    const std::uint64_t seen = impl_->seen_news();
    impl_->pump();
    const bool hopeless = impl_->interrupted && impl_->link != Impl::Link::up;
    if (impl_->messages.empty() || hopeless || Clock::now() >= deadline) return impl_->messages.size();
    impl_->wait(seen, deadline);
  }
}

void MqttPublisher::for_each_pending(
    const std::function<void(const std::string& topic, const std::string& payload)>& visit) const {
  for (const Message& message : impl_->messages) visit(message.topic, message.payload);
}

std::size_t MqttPublisher::pending() const noexcept {
  return impl_->messages.size();
}

std::vector<RefusedMessage> MqttPublisher::take_refused() {
  return std::exchange(impl_->refused, {});
}

void MqttPublisher::interrupt() noexcept {
  impl_->interrupted = true;
  impl_->wake();
}

}  // namespace weir::sink
