// `weir verify`: proof on the user's own data that results do not depend on how they are computed. Runs the same
// configuration and input in several ways and compares every row, byte for byte.
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/command.hpp"
#include "app/csv_headers.hpp"
#include "app/output.hpp"
#include "app/replay_input.hpp"
#include "app/run_pipeline.hpp"
#include "core/error.hpp"
#include "execute/backend.hpp"
#include "plan/configuration.hpp"
#include "plan/plan.hpp"
#include "sink/row_format.hpp"

namespace weir::app {
namespace {

struct Way {
  std::string device;
  unsigned threads;
  std::uint32_t batch_rows;
  [[nodiscard]] std::string name() const {
    return fmt::format("{}, {} thread{}, batches of {} rows", device, threads, threads == 1 ? "" : "s", batch_rows);
  }
};

// Rows of the first way wait in a file a query, so that memory stays bounded however many there are.
class Rows {
 public:
  Rows() {
    std::string name =
        (std::getenv("TMPDIR") != nullptr ? std::string(std::getenv("TMPDIR")) : "/tmp") + "/weir-verify-XXXXXX";
    const int descriptor = mkstemp(name.data());
    if (descriptor < 0) {
      throw Error(fmt::format("cannot create {}", name));
    }
    close(descriptor);
    out_.open(name, std::ios::binary);
    in_.open(name, std::ios::binary);
    unlink(name.c_str());
  }
  void record(const std::string& row) {
    out_ << row;
    ++recorded_;
    if (!out_) {
      throw Error("cannot write the temporary file of verify (disk full?)");
    }
  }
  void end_recording() { out_.flush(); }
  void rewind() {
    in_.clear();
    in_.seekg(0);
    compared_ = 0;
  }
  /// Empty: equal. Otherwise what the reference has.
  bool compare(const std::string& row, std::string& expected) {
    expected.clear();
    ++compared_;
    if (!std::getline(in_, expected)) {
      expected = "(no row)";
      return false;
    }
    expected += '\n';
    return expected == row;
  }
  [[nodiscard]] std::uint64_t recorded() const { return recorded_; }
  [[nodiscard]] std::uint64_t compared() const { return compared_; }

 private:
  std::ofstream out_;
  std::ifstream in_;
  std::uint64_t recorded_ = 0;
  std::uint64_t compared_ = 0;
};

struct Verification {
  std::map<std::string, std::unique_ptr<Rows>> queries;
  bool recording = true;
  std::uint64_t differences = 0;

  void take(const batch::ResultTable& table) {
    std::unique_ptr<Rows>& rows = queries[table.shape().query];
    if (!rows) {
      rows = std::make_unique<Rows>();
    }
    std::string text;
    std::string expected;
    for (std::size_t i = 0; i < table.size(); ++i) {
      text.clear();
      sink::append_json_row(text, table, i);
      if (text.empty() || text.back() != '\n') {
        text += '\n';
      }
      if (recording) {
        rows->record(text);
      } else if (!rows->compare(text, expected) && differences++ == 0) {
        print_line("first difference, query {}, row {}:", table.shape().query, rows->compared());
        put_output("  one way     " + expected);
        put_output("  the other   " + text);
      }
    }
  }
};

int verify(const std::string& config, const std::vector<std::string>& inputs) {
  spec::Pipeline base = plan::read_configuration(config);
  const auto journals = read_from_files(base, inputs);
  base.state_dir.clear();
  base.dead_letter.clear();
  const unsigned cores = std::max(2U, std::thread::hardware_concurrency());
  // 4,099 is prime: batches end at other rows than anything else in the engine.
  std::vector<Way> ways{{"cpu", 1, 65'536}, {"cpu", cores, 65'536}, {"cpu", 1, 4'099}, {"cpu", cores, 4'099}};
  for (const execute::BackendChoice& choice : execute::list_backends()) {
    if (choice.available && choice.name != "cpu") {
      ways.push_back({choice.name, cores, 65'536});
    }
  }
  require_headers(plan::compile(base), HeaderChecks::missing_columns, journals);
  Verification verification;
  for (const Way& way : ways) {
    spec::Pipeline pipeline = base;
    pipeline.device = way.device;
    pipeline.threads = way.threads;
    pipeline.batch_rows = way.batch_rows;
    spec::Sink sink;
    sink.name = "verify";
    sink.kind = spec::SinkKind::callback;
    sink.callback = [&verification](const batch::ResultTable& table) { verification.take(table); };
    pipeline.sinks = {sink};
    for (spec::Query& query : pipeline.queries) {
      query.sinks = {"verify"};
    }
    runtime::Options options;
    options.replay = true;
    options.replay_options.journals = journals;
    const std::uint64_t before = verification.differences;
    const Finished finished = run_pipeline(plan::compile(std::move(pipeline)), std::move(options));
    std::uint64_t rows = 0;
    for (auto& [name, recorded] : verification.queries) {
      if (!verification.recording && recorded->compared() != recorded->recorded()) {
        print_line("query {}: {} rows one way, {} the other", name, recorded->recorded(), recorded->compared());
        ++verification.differences;
      }
      rows += recorded->recorded();
      recorded->end_recording();
      recorded->rewind();
    }
    print_line("{:<44} {:>10} rows in {:.2f} s  {}", way.name(), rows, finished.seconds,
               verification.recording               ? "reference"
               : verification.differences == before ? "identical"
                                                    : "DIFFERENT");
    verification.recording = false;
    if (!finished.report.balances()) {
      print_line("the ledger does not balance");
      ++verification.differences;
    }
  }
  if (verification.differences > 0) {
    print_line("NOT identical: {} differences", verification.differences);
    return kFailed;
  }
  print_line("every bit identical in {} ways", ways.size());
  return kDone;
}

}  // namespace

void add_verify(CLI::App& app, Context& context) {
  auto config = std::make_shared<std::string>();
  CLI::App* const command = app.add_subcommand(
      "verify", "Compute the same input with several backends, thread counts and batch sizes; compare every bit");
  command->add_option("CONFIG", *config, "Configuration file ('-': standard input)")->required();
  const auto inputs = add_inputs(*command, "FILE or STREAM=FILE, glob or directory; may be given several times");
  command->callback([config, inputs, &context] { context.exit_code = verify(*config, inputs()); });
}

}  // namespace weir::app
