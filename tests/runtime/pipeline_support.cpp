#include "runtime/pipeline_support.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "plan/configuration.hpp"
#include "sink/row_format.hpp"

namespace weir::test {

Scratch::Scratch() {
  std::string name = (std::filesystem::temp_directory_path() / "weir-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("mkdtemp failed");
  }
  directory_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
}

plan::Plan plan_of(const std::string& toml) {
  return plan::compile(plan::parse_configuration(toml, "test.toml"));
}

std::string replay_rows(const std::string& toml, runtime::Report* report,
                        const std::function<void(spec::Pipeline&)>& change,
                        const std::map<std::string, std::string>& journals) {
  spec::Pipeline pipeline = plan::parse_configuration(toml, "test.toml");
  std::string rows;
  spec::Sink sink;
  sink.name = "collect";
  sink.kind = spec::SinkKind::callback;
  sink.callback = [&rows](const batch::ResultTable& table) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      sink::append_json_row(rows, table, i);
      if (rows.back() != '\n') {
        rows += '\n';
      }
    }
  };
  pipeline.sinks = {sink};
  for (spec::Query& query : pipeline.queries) {
    query.sinks = {"collect"};
  }
  if (change) {
    change(pipeline);
  }
  runtime::Options options;
  options.replay = true;
  options.replay_options.journals = journals;
  runtime::Pipeline running(plan::compile(std::move(pipeline)), options);
  running.start();
  running.wait();
  if (report != nullptr) {
    *report = running.report();
  }
  return rows;
}

runtime::Report replay_in_parts(const std::function<plan::Plan()>& plan, std::uint64_t stop_after, int& restarts) {
  while (true) {
    runtime::Options options;
    options.replay = true;
    runtime::Pipeline pipeline(plan(), options);
    pipeline.start();
    const std::uint64_t goal = stop_after == 0 ? ~std::uint64_t{0} : pipeline.report().batches + stop_after;
    while (!pipeline.wait_for(std::chrono::nanoseconds(1000)) && pipeline.report().batches < goal) {
    }
    const bool over = pipeline.wait_for(std::chrono::nanoseconds(0));
    pipeline.request_stop();
    pipeline.wait();
    if (over) return pipeline.report();
    ++restarts;
  }
}

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

}  // namespace weir::test
