#include "app/bench.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/command.hpp"
#include "core/error.hpp"
#include "core/spelling.hpp"

namespace weir::app {
namespace {

const Benchmark& benchmark(std::string_view name) {
  const std::span<const Benchmark> known = benchmarks();
  if (known.empty()) {
    throw ConfigError(
        "this build has a sanitizer and no benchmarks; measure with the release build (cmake --preset release)");
  }
  const auto found = std::find_if(known.begin(), known.end(), [&](const Benchmark& b) { return b.name == name; });
  if (found != known.end()) {
    return *found;
  }
  std::vector<std::string_view> candidates;
  for (const Benchmark& candidate : known) {
    candidates.push_back(candidate.name);
  }
  throw ConfigError(fmt::format("unknown benchmark '{}'", name), suggest(name, candidates));
}

/// All names are looked up before the first benchmark runs: a slip in the last one shows at once.
int bench(const std::vector<std::string>& names, const BenchOptions& options) {
  std::vector<const Benchmark*> chosen;
  chosen.reserve(names.size());
  for (const std::string& name : names) {
    chosen.push_back(&benchmark(name));
  }
  int worst = kDone;
  for (const Benchmark* const each : chosen) {
    worst = std::max(worst, each->run(options));
  }
  return worst;
}

}  // namespace

void add_bench(CLI::App& app, Context& context) {
  auto names = std::make_shared<std::vector<std::string>>();
  auto options = std::make_shared<BenchOptions>();
  CLI::App* const command =
      app.add_subcommand("bench", "Measure: readings/s and bytes/s beside a reference in one run");
  command
      ->add_option("BENCHMARK", *names,
                   "engine, sliding, csv, json, mqtt, durability (checkpoint, journal, recovery), gpu, memory")
      ->required();
  command->add_flag("--json", options->json, "One JSON object a measurement");
  command->add_option("--threads", options->threads, "Thread counts to measure")->delimiter(',')->capture_default_str();
  command->add_option("--seconds", options->seconds, "About how long one case is measured")->capture_default_str();
  command->add_option("--case", options->case_filter, "Only cases whose name contains this");
  command->add_option("--device", options->device, "csv, json: auto, cpu, cuda, cuda:N")->capture_default_str();
  command->add_option("--timeline", options->timeline, "gpu: write copies and kernels to this file (Chrome trace)");
  command->add_flag("--small", options->small)->group("");
  command->add_option("--only", options->only)->group("");
  command->callback([names, options, &context] { context.exit_code = bench(*names, *options); });
}

}  // namespace weir::app
