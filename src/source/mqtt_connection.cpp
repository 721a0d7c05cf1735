#include "source/mqtt_connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/printable.hpp"
#include "mqtt/client.hpp"
#include "source/mqtt_options.hpp"

namespace weir::source {
namespace {

using namespace std::chrono_literals;

// Longer than Paho's own connect timeout: reached only if Paho never answers.
constexpr std::chrono::seconds kAnswerWait = 10s;
constexpr std::chrono::seconds kDisconnectWait = 2s;
// Brokers bound how many filters one packet may have.
constexpr std::size_t kFiltersTogether = 8;
// A broker that sends what no filter explains is asked so often and no more.
constexpr int kMostSearches = 100;
constexpr std::size_t kMostUnwanted = 16;

}  // namespace

MqttConnection::MqttConnection(const spec::Source& spec, const std::string& stream, const SourceOptions& options,
                               MqttAdmission& admission)
    : spec_(spec),
      stream_(stream),
      options_(options),
      admission_(admission),
      subscriptions_(spec, options.session_dir) {}

MqttConnection::~MqttConnection() = default;

void MqttConnection::create(std::function<void(const paho::message&)> on_message) {
  try {
    client_ = mqtt::make_client(endpoint_of(spec_), spec_.persistence_dir);
  } catch (const Error& error) {
    throw Error(fmt::format("stream '{}': {}", stream_, error.what()));
  }
  client_->set_message_callback(
      [take = std::move(on_message)](const paho::const_message_ptr& message) { take(*message); });
  client_->set_connection_lost_handler([this](const std::string&) { note(lost_); });
  client_->set_disconnected_handler([this](const paho::properties&, paho::ReasonCode reason) {
    {
      const std::lock_guard lock(mutex_);
      lost_reason_ = static_cast<int>(reason);
    }
    note(lost_);
  });
}

mqtt::Outcome MqttConnection::open() {
  {
    const std::lock_guard lock(mutex_);
    lost_ = false;
    stalled_ = false;
    lost_reason_ = 0;
    unwanted_.clear();
  }
  heard_ = false;
  searches_ = 0;
  admission_.connecting(subscriptions_.incomplete());
  paho::token_ptr token;
  mqtt::Outcome outcome = perform([&] {
    return token =
               client_->connect(mqtt::make_connect_options(endpoint_of(spec_), connection_of(spec_)), nullptr, *this);
  });
  if (!outcome.ok) {
    return stopping() ? outcome : mqtt::with_tls_reason(std::move(outcome), endpoint_of(spec_));
  }
  const paho::connect_response answer = token->get_connect_response();
  constexpr auto kAvailable = paho::property::SUBSCRIPTION_IDENTIFIERS_AVAILABLE;
  with_identifiers_ = spec_.mqtt_version >= 5 && (!answer.get_properties().contains(kAvailable) ||
                                                  paho::get<std::uint8_t>(answer.get_properties(), kAvailable) != 0);
  const bool resumed = answer.is_session_present();
  const MqttSubscriptions::Change change = subscriptions_.connected(resumed);
  admission_.ignore_retained(resumed && spec_.mqtt_version < 5 && subscriptions_.incomplete());
  for (const std::string& filter : change.drop) {
    bool had_it = false;
    outcome = unsubscribe({filter}, had_it);
    if (!outcome.ok) {
      return outcome;
    }
    subscriptions_.dropped(filter);
    log::info("stream '{}': broker '{}': '{}', which is no topic of the source any more, was unsubscribed", stream_,
              spec_.broker, printable(filter));
  }
  for (const std::string& topic : change.add) {
    subscriptions_.begin(topic);
    outcome = subscribe(topic);
    if (!outcome.ok) {
      return outcome;
    }
    subscriptions_.subscribed(topic);
  }
  return outcome;
}

// One by one: Paho C++ 1.2.0 hands a dangling list of options on when several topics go together.
mqtt::Outcome MqttConnection::subscribe(const std::string& topic) {
  const std::string filter = subscription_filter(topic);
  paho::properties properties;
  if (with_identifiers_) {
    properties.add(
        {paho::property::SUBSCRIPTION_IDENTIFIER, static_cast<std::int32_t>(subscription_identifier(filter))});
  }
  paho::token_ptr token;
  const mqtt::Outcome performed = perform([&] {
    return token = client_->subscribe(filter, spec_.qos, nullptr, *this, make_subscribe_options(spec_), properties);
  });
  int granted = spec_.qos;
  mqtt::Outcome outcome = outcome_of_subscribe(performed, token.get(), topic, granted);
  if (outcome.ok && granted < spec_.qos && weaker_told_.insert(topic).second) {
    log::warn(
        "stream '{}': broker '{}' grants QoS {} for '{}' in place of {}: what that QoS does not promise can be lost; "
        "check the broker's settings",
        stream_, spec_.broker, granted, printable(topic), spec_.qos);
  }
  return outcome;
}

mqtt::Outcome MqttConnection::unsubscribe(const std::vector<std::string>& filters, bool& had_one) {
  paho::token_ptr token;
  mqtt::Outcome outcome =
      perform([&] { return token = client_->unsubscribe(paho::string_collection::create(filters), nullptr, *this); });
  if (outcome.ok && spec_.mqtt_version >= 5) {
    const auto response = token->get_unsubscribe_response();
    const std::vector<paho::ReasonCode>& codes = response.get_reason_codes();
    had_one = std::any_of(codes.begin(), codes.end(), [](auto code) { return static_cast<int>(code) == 0; });
  }
  return outcome;
}

/// Begins an action and waits for its end.
template <class Action>
mqtt::Outcome MqttConnection::perform(Action action) {
  try {
    const paho::token_ptr token = action();
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kAnswerWait, [&] { return token->is_complete() || stopping_ || lost_; });
      if (stopping_) {
        return {false, false, "stopping", 0};
      }
      if (!token->is_complete()) {
        return {false, false, lost_ ? ended_text() : "it does not answer", 0};
      }
    }
    token->try_wait();
    return {true, false, {}, 0};
  } catch (const paho::exception& error) {
    return mqtt::outcome_of(error, spec_.mqtt_version);
  }
}

std::string MqttConnection::ended_text() const {
  if (lost_reason_ == MQTTREASONCODE_SESSION_TAKEN_OVER) {
    return fmt::format("another client has taken the session over: client_id '{}' is in use twice",
                       printable(spec_.client_id));
  }
  return lost_reason_ != 0 ? mqtt::reason_text(lost_reason_) : "the connection was lost";
}

MqttConnection::End MqttConnection::wait(std::string& why) {
  const auto something = [this] { return lost_ || stalled_ || stopping_ || !unwanted_.empty(); };
  auto silent_at = std::chrono::steady_clock::now() + options_.silence;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!changed_.wait_until(lock, silent_at, something)) {
      silent_at += 24h;
      if (!heard_ && !std::exchange(silence_told_, true)) {
        log::warn(
            "stream '{}': broker '{}': nothing came on the source's topics for {} s; is something published there, and "
            "may this client read it?",
            stream_, spec_.broker, std::chrono::duration_cast<std::chrono::seconds>(options_.silence).count());
      }
      continue;
    }
    if (heard_) {
      silence_told_ = false;
    }
    if (stopping_) {
      return End::stopped;
    }
    if (lost_ || stalled_) {
      why = lost_ ? ended_text() : "the pipeline stands still; receiving goes on when it does";
      return lost_ ? End::lost : End::stalled;
    }
    const std::string topic = unwanted_.extract(unwanted_.begin()).value();
    lock.unlock();
    drop_what_brings(topic);
    lock.lock();
  }
}

void MqttConnection::not_asked_for(std::string_view topic) {
  {
    const std::lock_guard lock(mutex_);
    if (unwanted_.size() >= kMostUnwanted || unwanted_.contains(topic)) {
      return;
    }
    unwanted_.emplace(topic);
  }
  changed_.notify_all();
}

// The broker does not say which filter brought a message. With MQTT 5 it says whether there was one to drop.
void MqttConnection::drop_what_brings(const std::string& topic) {
  if (++searches_ > kMostSearches) {
    return;
  }
  const std::vector<std::string> suspects = subscriptions_.suspects(topic);
  for (std::size_t at = 0; at < suspects.size(); at += kFiltersTogether) {
    const auto begin = suspects.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = suspects.begin() + static_cast<std::ptrdiff_t>(std::min(at + kFiltersTogether, suspects.size()));
    bool had_one = false;
    if (!unsubscribe({begin, end}, had_one).ok) {
      return;
    }
    std::for_each(begin, end, [this](const std::string& filter) { subscriptions_.dropped(filter); });
    if (had_one) {
      log::info("stream '{}': broker '{}' has dropped the subscription that brought '{}'", stream_, spec_.broker,
                printable(topic));
      return;
    }
  }
}

void MqttConnection::close() {
  try {
    if (client_->is_connected()) {
      client_->disconnect()->wait_for(kDisconnectWait);
    }
  } catch (const paho::exception&) {
    // It was not connected any more.
  }
}

void MqttConnection::stop() {
  note(stopping_);
}

bool MqttConnection::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

bool MqttConnection::sleep(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [this] { return stopping_; });
}

void MqttConnection::wake() {
  { const std::lock_guard lock(mutex_); }
  changed_.notify_all();
}

void MqttConnection::note(bool& flag) {
  {
    const std::lock_guard lock(mutex_);
    flag = true;
  }
  changed_.notify_all();
}

}  // namespace weir::source
