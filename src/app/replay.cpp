// `weir replay`: the same configuration over recorded files, deterministic.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "app/command.hpp"
#include "app/csv_headers.hpp"
#include "app/log.hpp"
#include "app/progress_bar.hpp"
#include "app/replay_input.hpp"
#include "app/replay_output.hpp"
#include "app/run_pipeline.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/time_text.hpp"
#include "plan/configuration.hpp"
#include "plan/plan.hpp"
#include "runtime/summary.hpp"

namespace weir::app {
namespace {

struct ReplayArguments {
  std::string config;
  std::vector<std::string> inputs;
  std::vector<std::string> discard;
  std::string speed = "max";
  std::string from;
  std::string to;
  std::string state_dir;
  ReplayOutput output;
  bool loop = false;
  bool quiet = false;
};

double parse_speed(std::string text) {
  if (text == "max") {
    return 0.0;
  }
  if (!text.empty() && text.back() == 'x') {
    text.pop_back();
  }
  double speed = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), speed);
  if (error != std::errc() || end != text.data() + text.size() || !(speed > 0.0) || speed > 1e9) {
    throw ConfigError(fmt::format("--speed {}: not a speed", text), "max, 1x, 10x, 0.5x");
  }
  return speed;
}

std::int64_t parse_time(const std::string& option, const std::string& text) {
  const std::optional<std::int64_t> ns = TimeReader().read(text);
  if (!ns) {
    throw ConfigError(fmt::format("{} {}: not a time", option, text), "e.g. 2013-08-31T22:00:00Z or 1377986400");
  }
  return *ns;
}

/// The files of the command line that are read.
std::vector<std::string> files_read(const ReplayArguments& arguments) {
  std::vector<std::string> files{arguments.config};
  for (const std::string& input : arguments.inputs) {
    files.push_back(input);
    files.push_back(input.substr(input.find('=') + 1));
  }
  return files;
}

int replay(const ReplayArguments& arguments, const Context& context) {
  if (arguments.quiet && context.log_level == "info") {
    Context quiet = context;
    quiet.log_level = "warn";
    set_up_log(quiet);
  }
  spec::Pipeline pipeline_spec = plan::read_configuration(arguments.config);
  auto journals = read_from_files(pipeline_spec, arguments.inputs);
  set_output(pipeline_spec, arguments.output, files_read(arguments));
  // The state directory belongs to the live run; a replay keeps its own or none.
  pipeline_spec.state_dir = arguments.state_dir;
  runtime::Options options;
  options.replay = true;
  options.discard_state = arguments.discard;
  options.replay_options.speed = parse_speed(arguments.speed);
  options.replay_options.loop = arguments.loop;
  options.replay_options.journals = std::move(journals);
  if (!arguments.from.empty()) {
    options.replay_options.from_ns = parse_time("--from", arguments.from);
  }
  if (!arguments.to.empty()) {
    options.replay_options.to_ns = parse_time("--to", arguments.to);
  }
  std::optional<ProgressBar> bar;
  if (ProgressBar::possible() && !arguments.quiet && !context.json_log) {
    bar.emplace();
    options.replay_options.progress = [&bar](std::uint64_t read, std::uint64_t total) { (*bar)(read, total); };
  }
  plan::Plan plan = plan::compile(std::move(pipeline_spec));
  require_headers(plan, HeaderChecks::missing_columns, options.replay_options.journals);
  const Finished finished = run_pipeline(std::move(plan), std::move(options));
  bar.reset();
  if (!arguments.quiet) {
    put_lines(context, log::Level::info, runtime::summary(finished.report, finished.seconds));
  }
  if (finished.code() != kDone) {
    return finished.code();
  }
  if (const std::string why = runtime::why_nothing_was_delivered(finished.report); !why.empty()) {
    log::error("{}", why);
    return kNothingDelivered;
  }
  return kDone;
}

}  // namespace

void add_replay(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<ReplayArguments>();
  CLI::App* const command = app.add_subcommand("replay", "Run a configuration over recorded files, deterministically");
  command->add_option("CONFIG", arguments->config, "Configuration file ('-': standard input)")->required();
  const auto inputs = add_inputs(*command,
                                 "FILE or STREAM=FILE, glob or directory; several are read one after the other ('-': "
                                 "standard input). .gz and .zst are read as they are. A journal of 'weir record', or a "
                                 "state directory, is read as it was received");
  command->footer(
      "Exit codes: 0 done, 1 failed while running, 2 wrong configuration or command line, 3 readings came, "
      "but none of them could be delivered.");
  command->add_option("--speed", arguments->speed, "max, 1x (as recorded), 10x, ...")->capture_default_str();
  command->add_option("--from", arguments->from, "Only readings at or after this event time");
  command->add_option("--to", arguments->to, "Only readings before this event time");
  command->add_flag("--loop", arguments->loop, "Start over at the end, with event time going on");
  command->add_option("--state-dir", arguments->state_dir,
                      "Keep checkpoints here, so that an interrupted replay goes on where it stopped");
  command->add_option("--discard-state", arguments->discard, "Throw away the saved state of this query")
      ->allow_extra_args(false);
  ReplayOutput& output = arguments->output;
  CLI::Option* const file = command->add_option(
      "--output", output.file,
      "All rows of all queries go to this file ('-': standard output), as JSON lines or, with .csv, as CSV; {query} in "
      "it is the query's name. The configuration's sinks get none, so nothing is published");
  command->add_option("--format", output.format, "jsonl or csv, whatever --output ends in")
      ->needs(file)
      ->check(CLI::IsMember({"jsonl", "csv"}));
  command->add_option("--rows", output.rows, "Rows of a batch that console sinks show (0: all)")
      ->excludes(file)
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{std::numeric_limits<std::int32_t>::max()}));
  command
      ->add_option("--names", output.names,
                   "plain: columns without an alias are named max_power, not max(power); or verbatim")
      ->check(CLI::IsMember({"verbatim", "plain"}));
  command->add_flag("--quiet", arguments->quiet,
                    "No progress bar, no closing lines; of the log only warnings and errors");
  command->callback([arguments, inputs, &context] {
    arguments->inputs = inputs();
    context.exit_code = replay(*arguments, context);
  });
}

}  // namespace weir::app
