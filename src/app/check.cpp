// `weir check`: validates a configuration, prints the plan and the worst-case memory.
#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/csv_headers.hpp"
#include "app/output.hpp"
#include "core/duration.hpp"
#include "execute/backend.hpp"
#include "plan/configuration.hpp"
#include "plan/exposed_secrets.hpp"
#include "plan/plan.hpp"
#include "plan/required_files.hpp"
#include "runtime/engine.hpp"
#include "runtime/memory_estimate.hpp"
#include "runtime/pipeline.hpp"

namespace weir::app {
namespace {

int check(const std::string& config) {
  const plan::Plan plan = plan::compile(plan::read_configuration(config));
  plan::require_files(plan, plan::Inputs::include);
  require_headers(plan, HeaderChecks::all);
  std::string why;
  const auto backend = runtime::choose_backend(plan, runtime::RunMode::run, why);
  put_output(plan::explain(plan));
  const runtime::MemoryEstimate estimate = runtime::estimate_memory(plan, *backend, runtime::RunMode::run);
  put_output_line({});
  print_line("memory, worst case on {}{}{}", backend->name(), why.empty() ? "" : ": ", why);
  for (const runtime::MemoryEstimate::Item& item : estimate.items) {
    print_line("  {:<40} host {:>11}   device {:>11}", item.what(), bytes_to_string(item.host_bytes),
               bytes_to_string(item.device_bytes));
  }
  print_line("  {:<40} host {:>11}   device {:>11}   limit {}", "in all", bytes_to_string(estimate.host_bytes),
             bytes_to_string(estimate.device_bytes), bytes_to_string(estimate.limit_bytes));
  if (estimate.device_limit_bytes > 0) {
    print_line("  {:<40} {:>27}limit {:>11}", "on the device", "", bytes_to_string(estimate.device_limit_bytes));
  }
  runtime::require_memory(plan, estimate);
  if (const std::string warning = runtime::memory_warning(estimate); !warning.empty()) {
    put_output_line({});
    print_line("warning: {}", warning);
  }
  for (const std::string& exposed : plan::exposed_secrets(plan)) {
    put_output_line({});
    print_line("warning: {}", exposed);
  }
  if (const runtime::StateOutlook state = runtime::look_at_state(plan, *backend); state.checkpoint != 0) {
    put_output_line({});
    print_line("state: a start goes on from checkpoint {} in {}", state.checkpoint, plan.spec.state_dir);
    for (const std::string& note : state.notes) print_line("  {}", note);
  }
  put_output_line({});
  print_line("{}: good", config);
  return kDone;
}

}  // namespace

void add_check(CLI::App& app, Context& context) {
  auto config = std::make_shared<std::string>();
  CLI::App* const command =
      app.add_subcommand("check", "Validate a configuration; print its plan and worst-case memory");
  command->add_option("CONFIG", *config, "Configuration file ('-': standard input)")->required();
  command->callback([config, &context] { context.exit_code = check(*config); });
}

}  // namespace weir::app
