#include "sink/mqtt_publisher.hpp"

#include <fmt/core.h>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "mqtt/broker_limits.hpp"

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

enum class Delivery : std::uint8_t { queued, sent, acknowledged, refused, lost };

struct Message {
  Message(std::string t, std::string p) : topic(std::move(t)), payload(std::move(p)) {}
  std::string topic;
  std::string payload;
  std::atomic<Delivery> delivery{Delivery::queued};  // Paho's thread leaves `sent`, ours all the others
  std::atomic<int> reason{0};
};

// A refusal that another try will not change: CONNACK 1 to 5 but 3 (3.1.1), reason codes from 0x80 (5) but those that
// ask to come back (server unavailable, busy, shutting down, use another server, quota).
bool is_refusal(int code) {
  if (code >= 1 && code <= 5) return code != 3;
  if (code < 0x80 || code >= paho::MQTTPP_V3_CODE) return false;
  for (const int passing : {0x88, 0x89, 0x8B, 0x97, 0x9C, 0x9F}) {
    if (code == passing) return false;
  }
  return true;
}

std::string reason_text(int code) {
  switch (code) {
    case MQTTASYNC_FAILURE:
      return "it cannot be reached";
    case MQTTASYNC_DISCONNECTED:
      return "the connection was lost";
    case 1:
    case 0x84:
      return "unsupported protocol version";
    case 2:
    case 0x85:
      return "client identifier not valid";
    case 4:
    case 0x86:
      return "bad user name or password";
    case 5:
    case 0x87:
      return "not authorized";
    case 0x90:
      return "topic name invalid";
    case 0x95:
      return "packet too large";
    default:
      return code < 0 ? paho::exception::error_str(code) : fmt::format("reason code {:#04x}", code);
  }
}

}  // namespace

struct MqttPublisher::Impl final : paho::iaction_listener {
  Impl(MqttEndpoint e, std::size_t w) : endpoint(std::move(e)), window(std::max<std::size_t>(w, 1)) {
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
  void start_connecting();
  void drop_client();
  void connection_failed(int code);
  void check_connection();
  void forget_acknowledged();
  void send_queued();
  void pump();
  void wait(std::uint64_t seen, Clock::time_point until);
  [[nodiscard]] std::uint64_t seen_news() {
    const std::lock_guard lock(mutex);
    return news;
  }

  enum class Link : std::uint8_t { down, connecting, up };

  MqttEndpoint endpoint;
  std::size_t window;
  std::deque<Message> messages;  // oldest first; stable addresses, which Paho gets as contexts
  std::size_t in_flight = 0;     // of messages' front: handed to the client
  std::unique_ptr<paho::async_client> client;
  paho::token_ptr connecting;
  std::size_t send_limit = 0;  // messages in flight that the broker allows
  Link link = Link::down;
  Clock::time_point next_try{};
  milliseconds retry = kFirstRetry;
  bool away_logged = false;
  bool was_up = false;  // ever
  int last_code = 0;

  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t news = 0;              // guarded by mutex
  std::atomic<int> connect_result{0};  // 0: pending, 1: connected, 2: failed
  std::atomic<int> connect_code{0};
  std::atomic<bool> lost{false};
  std::atomic<bool> interrupted{false};
};

void MqttPublisher::Impl::finish(const paho::token& token, bool success) {
  const int reason = static_cast<int>(token.get_reason_code());
  const bool has_reason = reason != 0 && reason != paho::MQTTPP_V3_CODE;  // MQTT 3.1.1 has none
  const int code = has_reason ? reason : token.get_return_code();
  if (token.get_type() == paho::token::Type::CONNECT) {
    connect_code = code;
    connect_result = success ? 1 : 2;
  } else if (auto* message = static_cast<Message*>(token.get_user_context()); message != nullptr) {
    message->reason = code;
    if (success) {
      message->delivery = Delivery::acknowledged;
    } else {
      message->delivery = is_refusal(code) && code >= 0x80 ? Delivery::refused : Delivery::lost;
    }
  }
  wake();
}

void MqttPublisher::Impl::start_connecting() {
  client = mqtt::make_client(endpoint);
  client->set_connection_lost_handler([this](const std::string&) {
    lost = true;
    wake();
  });
  mqtt::ConnectionOptions wanted;
  wanted.keep_alive = kKeepAlive;
  wanted.connect_timeout = kConnectTimeout;
  paho::connect_options options = mqtt::make_connect_options(endpoint, wanted);
  options.set_max_inflight(static_cast<int>(std::min<std::size_t>(window, 65'535)));
  lost = false;
  connect_code = 0;
  connect_result = 0;
  link = Link::connecting;
  try {
    connecting = client->connect(std::move(options), nullptr, *this);
  } catch (const paho::exception& error) {
    connection_failed(error.get_return_code());
  }
}

// Paho reports what was in flight as failed while the client goes: after that no message is known to it any more.
void MqttPublisher::Impl::drop_client() {
  connecting.reset();
  client.reset();
  link = Link::down;
  for (std::size_t i = 0; i < in_flight; ++i) {
    Delivery expected = messages[i].delivery;
    if (expected != Delivery::acknowledged && expected != Delivery::refused) messages[i].delivery = Delivery::queued;
  }
  forget_acknowledged();
  // One that was acknowledged behind one that was not is sent again: the order of rows counts for more.
  for (std::size_t i = 0; i < in_flight; ++i) messages[i].delivery = Delivery::queued;
  in_flight = 0;
}

void MqttPublisher::Impl::connection_failed(int code) {
  drop_client();
  last_code = code;
  // A refusal of the first connection is connect()'s to report.
  if (!away_logged && (was_up || !is_refusal(code))) {
    log::warn("mqtt sink: no connection to {} ({}); trying again, {} rows are held back", endpoint.broker,
              reason_text(code), messages.size());
    away_logged = true;
  }
  next_try = Clock::now() + retry;
  retry = std::min(retry * 2, kLastRetry);
}

void MqttPublisher::Impl::check_connection() {
  if (link == Link::down && Clock::now() >= next_try) start_connecting();
  if (link == Link::connecting) {
    const int result = connect_result;
    if (result == 2) {
      connection_failed(connect_code);
    } else if (result == 1) {
      link = Link::up;
      was_up = true;
      send_limit = std::min(window, mqtt::limits_of(*connecting).receive_maximum);
      connecting.reset();
      retry = kFirstRetry;
      if (away_logged) log::info("mqtt sink: connected to {}, {} rows wait", endpoint.broker, messages.size());
      away_logged = false;
    }
  }
  if (link == Link::up && (lost || !client->is_connected())) connection_failed(MQTTASYNC_DISCONNECTED);
}

void MqttPublisher::Impl::forget_acknowledged() {
  while (in_flight > 0) {
    Message& oldest = messages.front();
    const Delivery delivery = oldest.delivery;
    if (delivery == Delivery::refused) {
      throw Error(fmt::format("broker {} refuses rows for topic '{}': {}", endpoint.broker, oldest.topic,
                              reason_text(oldest.reason)));
    }
    if (delivery != Delivery::acknowledged) return;
    messages.pop_front();
    --in_flight;
  }
}

void MqttPublisher::Impl::send_queued() {
  if (link != Link::up) return;
  while (in_flight < std::min(messages.size(), send_limit)) {
    Message& message = messages[in_flight];
    message.delivery = Delivery::sent;
    try {
      client->publish(paho::make_message(message.topic, message.payload, endpoint.qos, endpoint.retain), &message,
                      *this);
    } catch (const paho::exception& error) {
      message.delivery = Delivery::queued;
      // Full buffers empty themselves; anything else shows as a lost connection.
      if (error.get_return_code() != MQTTASYNC_MAX_BUFFERED_MESSAGES) lost = true;
      return;
    }
    ++in_flight;
  }
}

void MqttPublisher::Impl::pump() {
  forget_acknowledged();
  check_connection();
  // A message that failed while the connection stands: only a new connection tells what the broker has.
  if (link == Link::up && in_flight > 0 && messages.front().delivery == Delivery::lost) {
    connection_failed(messages.front().reason);
  }
  send_queued();
}

void MqttPublisher::Impl::wait(std::uint64_t seen, Clock::time_point until) {
  std::unique_lock lock(mutex);
  changed.wait_until(lock, std::min(until, Clock::now() + kWakeAtLeast), [&] { return news != seen; });
}

MqttPublisher::MqttPublisher(MqttEndpoint endpoint, std::size_t window)
    : impl_(std::make_unique<Impl>(std::move(endpoint), window)) {}

MqttPublisher::~MqttPublisher() = default;

void MqttPublisher::connect() {
  const Clock::time_point deadline = Clock::now() + kConnectTimeout;
  for (;;) {
    const std::uint64_t seen = impl_->seen_news();
    impl_->pump();
    if (impl_->link == Impl::Link::up || impl_->interrupted || Clock::now() >= deadline) return;
    if (impl_->link == Impl::Link::down) {
      if (!is_refusal(impl_->last_code)) return;
      throw Error(
          fmt::format("broker {} refuses the connection: {}", impl_->endpoint.broker, reason_text(impl_->last_code)));
    }
    impl_->wait(seen, deadline);
  }
}

void MqttPublisher::submit(std::string topic, std::string payload) {
  impl_->messages.emplace_back(std::move(topic), std::move(payload));
  impl_->forget_acknowledged();
  impl_->send_queued();
  Clock::time_point next_log = Clock::now() + kPatienceBeforeLog;
  while (impl_->messages.size() >= impl_->window && !impl_->interrupted) {
    const std::uint64_t seen = impl_->seen_news();
    impl_->pump();
    if (impl_->messages.size() < impl_->window) return;
    if (Clock::now() >= next_log) {
      log::warn("mqtt sink: {} rows wait for {}; the pipeline is held back", impl_->messages.size(),
                impl_->endpoint.broker);
      next_log = Clock::now() + kBetweenLogs;
    }
    impl_->wait(seen, Clock::time_point::max());
  }
}

void MqttPublisher::restore(std::string topic, std::string payload) {
  impl_->messages.emplace_back(std::move(topic), std::move(payload));
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

void MqttPublisher::interrupt() noexcept {
  impl_->interrupted = true;
  impl_->wake();
}

}  // namespace weir::sink
