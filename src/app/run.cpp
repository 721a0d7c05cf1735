// `weir run`: the gateway daemon.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/command.hpp"
#include "app/csv_headers.hpp"
#include "app/log.hpp"
#include "app/run_pipeline.hpp"
#include "core/log.hpp"
#include "plan/configuration.hpp"
#include "plan/exposed_secrets.hpp"
#include "plan/plan.hpp"
#include "plan/required_files.hpp"
#include "runtime/summary.hpp"

namespace weir::app {
namespace {

struct RunOptions {
  std::string config;
  std::vector<std::string> discard;
  bool skip_damage = false;
};

int run(const RunOptions& options, const Context& context) {
  runtime::Options runtime_options;
  runtime_options.discard_state = options.discard;
  spec::Pipeline pipeline = plan::read_configuration(options.config);
  pipeline.skip_damage = options.skip_damage;
  plan::Plan plan = plan::compile(std::move(pipeline));
  plan::require_files(plan, plan::Inputs::leave_out);
  for (const std::string& exposed : plan::exposed_secrets(plan)) log::warn("{}", exposed);
  // What comes later may be right.
  for (const Diagnostic& mistake : mistakes_in_headers(plan, HeaderChecks::all)) log::warn("{}", to_string(mistake));
  const Finished finished = run_pipeline(std::move(plan), std::move(runtime_options));
  put_lines(context, log::Level::info, runtime::summary(finished.report, finished.seconds));
  for (const std::string& failure : finished.failed_sources) {
    put_lines(context, log::Level::error, "a source gave up: " + failure);
  }
  return finished.code();
}

}  // namespace

void add_run(CLI::App& app, Context& context) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* const command = app.add_subcommand("run", "Run the gateway: live sources until SIGTERM or SIGINT");
  command->add_option("CONFIG", options->config, "Configuration file ('-': standard input)")->required();
  command->add_option("--discard-state", options->discard, "Throw away the saved state of this query")
      ->allow_extra_args(false);
  command->add_flag("--skip-damage", options->skip_damage,
                    "Start although records of the journal are damaged; they are reported and left out");
  command->callback([options, &context] { context.exit_code = run(*options, context); });
}

}  // namespace weir::app
