// Result rows as MQTT messages: one JSON object each, with an id that stays the same when the row is sent again.
//
// A row that the broker will never take (topic, size, access list) is reported and the next one goes out.
//
// At least once: rows that the broker has not acknowledged are part of the checkpoint and are sent again after a
// restart. While the broker is away, up to 1000 rows are held; then write() waits. Engine's thread, but interrupt().
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sink/mqtt_publisher.hpp"
#include "sink/mqtt_topic.hpp"
#include "sink/name_template.hpp"
#include "sink/row_format.hpp"
#include "sink/sink.hpp"

namespace weir::sink {

class MqttSink final : public Sink {
 public:
  explicit MqttSink(const spec::Sink& spec, OnRefusedRow on_refused = {});

  /// @throws ConfigError for a topic that does not fit a query; Error when the broker refuses the connection.
  void prepare(const std::vector<const batch::ResultShape*>& shapes) override;
  void open(const std::vector<const batch::ResultShape*>& shapes) override;
  void write(const batch::ResultTable& table) override;
  void flush() override;
  std::string checkpoint(std::vector<FileToSync>& to_sync) override;
  void resume(const std::string& position) override;
  /// Waits a few seconds for the broker. @throws Error with the number of rows that neither the broker nor a checkpoint
  /// has.
  void close() override;
  void interrupt() noexcept override { publisher_.interrupt(); }

 private:
  struct Query {
    const batch::ResultShape* shape;
    RowFormat format;
    MqttTopic topic;
  };
  Query& attach(const batch::ResultShape& shape);
  void report_refused();

  std::string name_;
  std::string broker_;
  NameTemplate topic_;
  spec::ColumnNames names_;
  MqttPublisher publisher_;
  std::vector<std::unique_ptr<Query>> queries_;
  bool prepared_ = false;
  std::size_t submitted_since_checkpoint_ = 0;
  OnRefusedRow on_refused_;
  std::set<std::string> logged_;  // reasons
};

}  // namespace weir::sink
