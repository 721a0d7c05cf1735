#include "sink/mqtt_sink.hpp"

#include <fmt/core.h>
#include <algorithm>
#include <chrono>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/printable.hpp"
#include "sink/position_text.hpp"

namespace weir::sink {
namespace {

constexpr std::string_view kPositionFormat = "mqtt 1";
constexpr std::chrono::seconds kPatienceAtClose(5);
constexpr std::size_t kLoggedTopic = 200;  // bytes

MqttEndpoint endpoint_of(const spec::Sink& spec) {
  if (spec.broker.empty())
    throw ConfigError(fmt::format("sink '{}' needs a broker", spec.name), "mqtt://localhost:1883");
  return {{spec.broker,
           spec.client_id,
           spec.username,
           spec.password,
           {.ca = spec.ca_file, .cert = spec.cert_file, .key = spec.key_file},
           spec.mqtt_version},
          spec.qos,
          spec.retain};
}

}  // namespace

MqttSink::MqttSink(const spec::Sink& spec, OnRefusedRow on_refused)
    : name_(fmt::format("sink '{}'", spec.name)),
      broker_(spec.broker),
      topic_(spec.topic, "topic"),
      names_(spec.names),
      publisher_(endpoint_of(spec), name_),
      on_refused_(std::move(on_refused)) {}

MqttSink::Query& MqttSink::attach(const batch::ResultShape& shape) {
  for (const auto& query : queries_) {
    if (query->shape == &shape) return *query;
  }
  return *queries_.emplace_back(
      std::make_unique<Query>(Query{&shape, RowFormat(shape, names_), MqttTopic(topic_, shape)}));
}

void MqttSink::prepare(const std::vector<const batch::ResultShape*>& shapes) {
  for (const batch::ResultShape* shape : shapes) attach(*shape);
  publisher_.connect();
  prepared_ = true;
}

void MqttSink::open(const std::vector<const batch::ResultShape*>& shapes) {
  if (!prepared_) prepare(shapes);
}

void MqttSink::write(const batch::ResultTable& table) {
  if (table.empty()) return;
  Query& query = attach(table.shape());
  for (std::size_t row = 0; row < table.size(); ++row) {
    std::string topic;
    query.topic.append(topic, table, row);
    std::string payload;
    query.format.append_json_with_id(payload, table, row);
    ++submitted_since_checkpoint_;
    publisher_.submit(std::move(topic), std::move(payload));
    report_refused();
  }
}

void MqttSink::flush() {
  publisher_.pump();
  report_refused();
}

void MqttSink::report_refused() {
  for (const RefusedMessage& row : publisher_.take_refused()) {
    if (logged_.insert(row.reason).second) {
      log::error("{}: broker {} will not take a row for topic '{}': {}. It is given up; further ones ({}) are counted",
                 name_, broker_, printable(std::string_view(row.topic).substr(0, kLoggedTopic)), row.why, row.reason);
    }
    if (on_refused_) on_refused_(row.reason, row.payload);
  }
}

std::string MqttSink::checkpoint(std::vector<FileToSync>& /*to_sync*/) {
  flush();
  std::string position;
  append_field(position, kPositionFormat);
  publisher_.for_each_pending([&position](const std::string& topic, const std::string& payload) {
    append_field(position, std::string_view(topic));
    append_field(position, std::string_view(payload));
  });
  submitted_since_checkpoint_ = 0;
  return position;
}

void MqttSink::resume(const std::string& position) {
  PositionReader in(position);
  if (in.bytes() != kPositionFormat) throw Error("the checkpoint holds an mqtt sink's position of another version");
  while (!in.at_end()) {
    std::string topic(in.bytes());
    publisher_.restore(std::move(topic), std::string(in.bytes()));
  }
  publisher_.connect();
}

void MqttSink::close() {
  const std::size_t left = publisher_.drain(kPatienceAtClose);
  report_refused();
  if (left == 0) return;
  // Rows leave in order, so those that the checkpoint does not know are the last ones.
  const std::size_t lost = std::min(left, submitted_since_checkpoint_);
  if (left > lost) {
    log::warn("{}: {} rows for {} wait in the checkpoint and are sent after the next start", name_, left - lost,
              broker_);
  }
  if (lost > 0) {
    const std::string message = fmt::format("{} rows were not delivered to {}", lost, broker_);
    log::error("{}: {}", name_, message);
    throw Error(message);
  }
}

}  // namespace weir::sink
