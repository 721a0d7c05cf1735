// `weir bench mqtt`: MQTT ingestion through a private mosquitto, beside the least a client can do: a Paho callback that
// only counts. Both get the same messages from the same publisher, a process of its own; the broker is often the limit.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <mqtt/async_client.h>
#include <netinet/in.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill() is POSIX
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "app/bench.hpp"
#include "app/command.hpp"
#include "core/error.hpp"
#include "plan/plan.hpp"
#include "runtime/pipeline.hpp"

namespace weir::app {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint64_t kMessages = 60'000;
constexpr std::chrono::seconds kDeadline{60};

pid_t spawn(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) {
    arguments.push_back(
        const_cast<char*>(word.c_str()));  // NOLINT(cppcoreguidelines-pro-type-const-cast): execv's form
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, arguments.front(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw Error(fmt::format("cannot start {}: {}", words.front(), std::strerror(error)));
  }
  return pid;
}

int free_port() {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool bound = bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  close(descriptor);
  if (!bound) {
    throw Error("no free port on the loopback interface");
  }
  return ntohs(address.sin_port);
}

bool poll(Clock::time_point deadline, const std::function<bool()>& condition) {
  while (!condition()) {
    if (Clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// A private broker with the settings that a gateway's broker should have (docs/operations.md).
class Broker {
 public:
  Broker() : port_(free_port()) {
    directory_ = std::filesystem::temp_directory_path() / fmt::format("weir-bench-{}", getpid());
    std::filesystem::create_directories(directory_);
    const std::string config = (directory_ / "mosquitto.conf").string();
    std::FILE* const file = std::fopen(config.c_str(), "we");
    if (file == nullptr) {
      throw Error(fmt::format("cannot write {}", config));
    }
    fmt::print(file,
               "listener {} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages "
               "1000\npersistence false\n",
               port_);
    std::fclose(file);
    const char* const program = std::filesystem::exists("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto";
    pid_ = spawn({program, "-c", config});
    if (!poll(Clock::now() + std::chrono::seconds(10), [this] { return listens(); })) {
      throw Error("mosquitto did not start");
    }
  }
  ~Broker() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  [[nodiscard]] std::string url() const { return fmt::format("mqtt://127.0.0.1:{}", port_); }

 private:
  [[nodiscard]] bool listens() const {
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    const bool connected = connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(descriptor);
    return connected;
  }
  int port_;
  pid_t pid_ = 0;
  std::filesystem::path directory_;
};

// Publishes kMessages readings as fast as the broker takes them and waits for `done`; seconds, 0 when it failed.
double publish_until(const Broker& broker, int qos, const std::function<bool()>& done) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto begin = Clock::now();
  const pid_t publisher =
      spawn({self, "simulate", "--broker", broker.url(), "--qos", std::to_string(qos), "--fast", "--count",
             std::to_string(kMessages), "--sensors", "100", "--rate", "100000", "--start", "2024-01-01T00:00:00Z"});
  const bool complete = poll(begin + kDeadline, done);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  if (!complete) {
    kill(publisher, SIGTERM);
  }
  int status = 0;
  waitpid(publisher, &status, 0);
  return complete && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? seconds : 0.0;
}

double empty_callback(const Broker& broker, int qos) {
  mqtt::async_client client(broker.url(), "weir-bench-empty", mqtt::create_options(MQTTVERSION_5));
  std::atomic<std::uint64_t> seen{0};
  client.set_message_callback(
      [&seen](const mqtt::const_message_ptr&) { seen.fetch_add(1, std::memory_order_relaxed); });
  auto options = mqtt::connect_options_builder().mqtt_version(MQTTVERSION_5).clean_start(true).finalize();
  options.set_properties({{mqtt::property::RECEIVE_MAXIMUM, 1000}});
  client.connect(options)->wait();
  client.subscribe("plant/+/+/state", qos)->wait();
  const double seconds =
      publish_until(broker, qos, [&seen] { return seen.load(std::memory_order_relaxed) >= kMessages; });
  client.disconnect()->wait();
  return seconds;
}

double pipeline(const Broker& broker, int qos) {
  spec::Pipeline spec;
  spec.device = "cpu";
  spec.threads = 1;
  spec.batch_interval = std::chrono::milliseconds(100);
  spec::Stream stream;
  stream.name = "machines";
  stream.schema.keys = {{"line", ""}, {"sensor", ""}};
  stream.schema.fields = {{"temperature", 3, "", true}};
  stream.time.field = "t";
  stream.time.unit = TimeUnit::milliseconds;
  stream.max_keys = 1000;
  spec::Source source;
  source.kind = spec::SourceKind::mqtt;
  source.broker = broker.url();
  source.topics = {"plant/{line}/{sensor}/state"};
  source.qos = qos;
  source.client_id = "weir-bench";
  source.clean_session = true;
  stream.sources = {source};
  spec.streams = {stream};
  spec::Query query;
  query.name = "q";
  query.from = "machines";
  query.group_by = {"line", "sensor"};
  query.select = {"count()", "avg(temperature)"};
  query.window = std::chrono::seconds(1);
  query.sinks = {"none"};
  spec.queries = {query};
  spec::Sink sink;
  sink.name = "none";
  sink.kind = spec::SinkKind::callback;
  sink.callback = [](const batch::ResultTable&) {};
  spec.sinks = {sink};
  runtime::Pipeline running(plan::compile(std::move(spec)), runtime::Options{});
  running.start();
  const double seconds =
      publish_until(broker, qos, [&running] { return running.report().streams[0].ledger.received >= kMessages; });
  running.request_stop();
  running.wait();
  const runtime::Report report = running.report();
  const bool right = report.balances() && report.queries[0].ledger.counted == kMessages;
  return right ? seconds : 0.0;
}

}  // namespace

int bench_mqtt(const BenchOptions& options) {
  const Broker broker;
  for (const int qos : {0, 1}) {
    const std::string name = fmt::format("QoS {}, one JSON reading a message", qos);
    if (name.find(options.case_filter) == std::string::npos) {
      continue;
    }
    std::vector<double> ours;
    std::vector<double> reference;
    std::vector<double> ratios;
    while (ours.size() < 5) {
      const double empty = empty_callback(broker, qos);
      const double weir = pipeline(broker, qos);
      if (empty == 0.0 || weir == 0.0) {
        fmt::print(stderr, "weir: bench mqtt: QoS {}: messages are missing\n", qos);
        return kFailed;
      }
      ours.push_back(static_cast<double>(kMessages) / weir);
      reference.push_back(static_cast<double>(kMessages) / empty);
      ratios.push_back(empty / weir);
    }
    Measurement measurement;
    measurement.benchmark = "mqtt";
    measurement.name = name;
    measurement.threads = 1;
    measurement.readings_per_s = median(ours);
    measurement.reference = "an empty callback";
    measurement.reference_per_s = median(reference);
    measurement.ratio = median(ratios);
    print(options, measurement);
  }
  return kDone;
}

}  // namespace weir::app
