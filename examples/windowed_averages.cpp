// Sliding windows with state on disk: averages of the last minute, every ten seconds, from MQTT or from a file.
//   build/release/examples/windowed_averages mqtt://localhost:1883 'plant/{line}/{sensor}/state'
//   build/release/examples/windowed_averages sample-data/machines.jsonl
// Stop it with Ctrl-C and start it again: open windows go on where they were.
#include <iostream>
#include <string>
#include <weir/weir.hpp>
using namespace weir::literals;

int main(int argc, char** argv) try {
  const std::string from = argc > 1 ? argv[1] : "sample-data/machines.jsonl";
  const std::string topic = argc > 2 ? argv[2] : "";

  auto context = weir::StreamingContext::get_or_create(topic.empty() ? "" : "windowed-averages.state", [&] {
    weir::StreamingContext created{{.stop_on_signals = true}};
    weir::Schema schema;
    schema.keys = {"line", "sensor"};
    schema.fields = {{"temperature", 3}};
    schema.time = "t";
    schema.out_of_order = 2s;
    schema.idle_timeout = 30s;
    const auto readings = topic.empty() ? created.file_stream(from, schema) : created.mqtt_stream(from, topic, schema);

    readings.filter("temperature > -40"_expr)
        .reduce_by_key_and_window({weir::count(), weir::avg("temperature").as("mean"), weir::max("temperature")}, 60s,
                                  10s)
        .named("by_sensor")
        .print();
    readings.key_by({"line"})
        .reduce_by_key_and_window(weir::stddev("temperature").as("spread"), 60s)
        .named("by_line")
        .for_each_batch([](const weir::Rows& rows) {
          for (std::size_t i = 0; i < rows.size(); ++i) {
            if (rows.value(i, 0).value_or(0.0) > 5.0) {
              std::cout << "line " << rows.key(i, 0) << " is uneven: " << rows.text(i, 0) << '\n';
            }
          }
        });
    return created;
  });
  context.start();
  context.await_termination();
  std::cerr << context.summary();
  return context.ledger_balances() ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << "windowed_averages: " << error.what() << '\n';
  return 1;
}
