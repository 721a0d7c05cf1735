// `weir simulate`: the seeded sensor simulator, to a file or to an MQTT broker.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "app/command.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/printable.hpp"
#include "core/spelling.hpp"
#include "core/time_text.hpp"
#include "mqtt/broker_address.hpp"
#include "runtime/shutdown.hpp"
#include "sink/mqtt_publisher.hpp"
#include "source/simulated_text.hpp"
#include "source/simulator.hpp"

namespace weir::app {
namespace {

struct Arguments {
  spec::Simulator simulator;
  std::string duration;
  std::string disorder;
  std::string format = "json";
  std::string output;
  sink::MqttEndpoint endpoint;
  std::string topic;
  bool fast = false;
};

// Waits for the moment a reading is due, or for the stop signal.
class Pace {
 public:
  void stop() {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    wake_.notify_all();
  }
  bool stopped() {
    const std::scoped_lock lock(mutex_);
    return stopped_;
  }
  bool wait_until(std::chrono::steady_clock::time_point due) {
    std::unique_lock lock(mutex_);
    return !wake_.wait_until(lock, due, [this] { return stopped_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
};

Duration duration_of(const char* option, const std::string& text) {
  if (text.empty()) {
    return Duration{0};
  }
  const std::optional<Duration> duration = parse_duration(text);
  if (!duration) {
    throw ConfigError(fmt::format("{} {}: not a duration", option, text), "e.g. 10s, 500ms, 1h30m");
  }
  return *duration;
}

spec::FormatKind format_of(const std::string& text) {
  constexpr std::array<std::string_view, 5> names{"json", "csv", "senml", "raw", "line"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) {
      return static_cast<spec::FormatKind>(i);
    }
  }
  throw ConfigError(fmt::format("--format {}: unknown format", text), suggest(text, names));
}

void write_all(std::FILE* file, const std::string& path, std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file) != text.size()) {
    throw Error(fmt::format("cannot write '{}': {}", path, std::strerror(errno)));
  }
}

void to_file(const Arguments& arguments, source::Simulator& simulator, Pace& pace) {
  const spec::FormatKind format = format_of(arguments.format);
  const bool console = arguments.output.empty() || arguments.output == "-";
  const std::string name = console ? "standard output" : arguments.output;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(
      console ? nullptr : std::fopen(arguments.output.c_str(), "wbe"),
      [](std::FILE* f) { return f != nullptr ? std::fclose(f) : 0; });
  std::FILE* const file = console ? stdout : opened.get();
  if (file == nullptr) {
    throw Error(fmt::format("cannot write '{}': {}", name, std::strerror(errno)));
  }
  std::string text;
  if (format == spec::FormatKind::csv) {
    text.append(source::csv_header()).append("\n");
  }
  source::SimulatedReading reading;
  while (!pace.stopped() && simulator.next(reading)) {
    source::append_reading(text, reading, format);
    text += '\n';
    if (text.size() > (1U << 18U)) {
      write_all(file, name, text);
      text.clear();
    }
  }
  write_all(file, name, text);
  if (std::fflush(file) != 0) {
    throw Error(fmt::format("cannot write '{}': {}", name, std::strerror(errno)));
  }
}

std::string topic_of(const Arguments& arguments, const source::SimulatedReading& reading) {
  std::string topic;
  if (arguments.topic.empty()) {
    source::append_topic(topic, reading);
    return topic;
  }
  topic = arguments.topic;
  std::string sensor;
  source::append_sensor(sensor, reading.sensor);
  if (const std::size_t at = topic.find("{sensor}"); at != std::string::npos) {
    topic.replace(at, 8, sensor);
  }
  if (const std::size_t at = topic.find("{line}"); at != std::string::npos) {
    topic.replace(at, 6, std::string(1, static_cast<char>('A' + reading.sensor % 4)));
  }
  return topic;
}

// How long the broker may take for the last acknowledgements.
constexpr std::chrono::seconds kPatience{30};

// One refusal is enough: what comes after it is of the same kind.
void require_none_refused(const Arguments& arguments, sink::MqttPublisher& publisher) {
  for (const sink::RefusedMessage& message : publisher.take_refused()) {
    throw Error(fmt::format("broker {} will not take a message for topic '{}': {}", arguments.endpoint.broker,
                            printable(message.topic), message.why));
  }
}

void to_broker(const Arguments& arguments, source::Simulator& simulator, Pace& pace) {
  const spec::FormatKind format = format_of(arguments.format);
  if (const std::string mistake = mqtt::broker_mistake(arguments.endpoint.broker); !mistake.empty()) {
    throw ConfigError("--broker: " + mistake, "as in mqtt://host:1883, with --username and WEIR_MQTT_PASSWORD");
  }
  sink::MqttPublisher publisher(arguments.endpoint, "simulate");
  publisher.connect();
  const auto begin = std::chrono::steady_clock::now();
  source::SimulatedReading reading;
  while (!pace.stopped() && simulator.next(reading)) {
    if (!arguments.fast) {
      const auto due = begin + std::chrono::nanoseconds(reading.due_ns - simulator.start_ns());
      if (due > std::chrono::steady_clock::now() + std::chrono::milliseconds(1)) {
        publisher.pump();
        require_none_refused(arguments, publisher);
        if (!pace.wait_until(due)) {
          break;
        }
      }
    }
    std::string payload;
    source::append_reading(payload, reading, format);
    publisher.submit(topic_of(arguments, reading), std::move(payload));
    require_none_refused(arguments, publisher);
  }
  const std::size_t left = publisher.drain(kPatience);
  require_none_refused(arguments, publisher);
  if (left > 0) {
    throw Error(fmt::format("{} messages were not acknowledged by {}", left, arguments.endpoint.broker));
  }
}

int simulate(Arguments& arguments) {
  arguments.simulator.duration = duration_of("--duration", arguments.duration);
  arguments.simulator.disorder = duration_of("--disorder", arguments.disorder);
  const bool mqtt = !arguments.endpoint.broker.empty();
  if (const std::string mistake = mqtt ? mqtt::broker_mistake(arguments.endpoint.broker) : ""; !mistake.empty()) {
    throw ConfigError("--broker: " + mistake, "e.g. mqtt://localhost:1883, with --username and WEIR_MQTT_PASSWORD");
  }
  if (mqtt && !arguments.output.empty()) {
    throw ConfigError("--output and --broker exclude each other");
  }
  if (!mqtt && arguments.simulator.count == 0 && arguments.simulator.duration.count() == 0) {
    throw ConfigError("a file needs an end", "give --count N or --duration 60s");
  }
  Pace pace;
  const runtime::ShutdownSignals signals([&pace] { pace.stop(); });
  source::Simulator simulator(arguments.simulator, wall_clock_ns());
  if (mqtt) {
    to_broker(arguments, simulator, pace);
  } else {
    to_file(arguments, simulator, pace);
  }
  const source::Simulator::Totals& totals = simulator.totals();
  log::info("{} readings, {} duplicates, {} malformed payloads handed on; {} left out", totals.readings,
            totals.duplicates, totals.malformed, totals.gaps);
  return kDone;
}

}  // namespace

void add_simulate(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  spec::Simulator& simulator = arguments->simulator;
  sink::MqttEndpoint& endpoint = arguments->endpoint;
  CLI::App* const command = app.add_subcommand("simulate", "Seeded sensor simulator, to a file or to an MQTT broker");
  command->add_option("--output", arguments->output, "File to write (default: standard output)");
  command->add_option("--format", arguments->format, "json, csv, senml, raw or line")->capture_default_str();
  command->add_option("--broker", endpoint.broker, "Publish to this broker instead, e.g. mqtt://localhost:1883");
  command->add_option("--topic", arguments->topic, "Topic, with {line} and {sensor} [plant/{line}/{sensor}/state]");
  command->add_option("--qos", endpoint.qos, "0, 1 or 2")->check(CLI::Range(0, 2))->capture_default_str();
  command->add_option("--client-id", endpoint.client_id, "MQTT client id");
  command->add_option("--username", endpoint.username, "MQTT user");
  command->add_option("--password", endpoint.password, "MQTT password (better: WEIR_MQTT_PASSWORD)")
      ->envname("WEIR_MQTT_PASSWORD");
  command->add_flag("--fast", arguments->fast, "Publish as fast as the broker takes it, not at --rate");
  command->add_option("--seed", simulator.seed, "Same seed and options: same readings")->capture_default_str();
  command->add_option("--sensors", simulator.sensors, "How many sensors")->capture_default_str();
  command->add_option("--rate", simulator.rate_per_s, "Readings per second over all sensors")->capture_default_str();
  command->add_option("--count", simulator.count, "Readings in all");
  command->add_option("--duration", arguments->duration, "Event time to cover, e.g. 60s");
  command->add_option("--start", simulator.start, "Event time of the first reading (default: now)");
  command->add_option("--disorder", arguments->disorder, "Hand readings on up to this much late");
  command->add_option("--gaps", simulator.gap_probability, "Probability that a reading is left out")
      ->capture_default_str();
  command->add_option("--duplicates", simulator.duplicate_probability, "Probability that a reading comes twice")
      ->capture_default_str();
  command->add_option("--malformed", simulator.malformed_probability, "Probability of an extra malformed payload")
      ->capture_default_str();
  command->callback([arguments, &context] { context.exit_code = simulate(*arguments); });
}

}  // namespace weir::app
