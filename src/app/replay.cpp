// `weir replay`: the same configuration over recorded files, deterministic.
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "app/command.hpp"
#include "app/log.hpp"
#include "app/replay_input.hpp"
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

// One line on a terminal, redrawn at most ten times a second. Several streams report from threads of their own.
class ProgressBar {
 public:
  void operator()(std::uint64_t read, std::uint64_t total) {
    constexpr std::chrono::milliseconds kRedraw{100};
    const auto now = std::chrono::steady_clock::now();
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock() || now < next_) {
      return;
    }
    next_ = now + kRedraw;
    const double seconds = std::chrono::duration<double>(now - begin_).count();
    const double megabytes = static_cast<double>(read) / 1e6;
    if (total == 0) {
      fmt::print(stderr, "\r{:.1f} MB  {:.0f} MB/s ", megabytes, megabytes / seconds);
    } else {
      constexpr int kWidth = 40;
      const double part = std::min(1.0, static_cast<double>(read) / static_cast<double>(total));
      const auto filled = static_cast<std::size_t>(part * kWidth);
      fmt::print(stderr, "\r[{:<{}}] {:3.0f} %  {:.1f} MB  {:.0f} MB/s ", std::string(filled, '#'), kWidth, part * 100,
                 megabytes, megabytes / seconds);
    }
    drawn_ = true;
  }
  void clear() {
    if (drawn_) {
      std::fputs("\r\033[K", stderr);
    }
  }

 private:
  std::mutex mutex_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_ = begin_;
  bool drawn_ = false;
};

int replay(const ReplayArguments& arguments, const Context& context) {
  spec::Pipeline pipeline_spec = plan::read_configuration(arguments.config);
  auto journals = read_from_files(pipeline_spec, arguments.inputs);
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
  ProgressBar bar;
  if (isatty(STDERR_FILENO) != 0 && isatty(STDOUT_FILENO) == 0 && !arguments.quiet && !context.json_log) {
    options.replay_options.progress = [&bar](std::uint64_t read, std::uint64_t total) { bar(read, total); };
  }
  const Finished finished = run_pipeline(plan::compile(std::move(pipeline_spec)), std::move(options));
  bar.clear();
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
  command->add_flag("--quiet", arguments->quiet, "No progress bar and no closing lines");
  command->callback([arguments, inputs, &context] {
    arguments->inputs = inputs();
    context.exit_code = replay(*arguments, context);
  });
}

}  // namespace weir::app
