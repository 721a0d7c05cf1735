// `weir check`: validates a configuration, prints the plan and the worst-case memory.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>

#include "app/command.hpp"
#include "core/duration.hpp"
#include "execute/backend.hpp"
#include "plan/configuration.hpp"
#include "plan/exposed_secrets.hpp"
#include "plan/plan.hpp"
#include "plan/required_files.hpp"
#include "runtime/memory_estimate.hpp"

namespace weir::app {
namespace {

int check(const std::string& config) {
  const plan::Plan plan = plan::compile(plan::read_configuration(config));
  plan::require_files(plan, plan::Inputs::include);
  std::string why;
  const auto backend = runtime::choose_backend(plan, runtime::RunMode::run, why);
  std::fputs(plan::explain(plan).c_str(), stdout);
  const runtime::MemoryEstimate estimate = runtime::estimate_memory(plan, *backend, runtime::RunMode::run);
  fmt::print("\nmemory, worst case on {}{}{}\n", backend->name(), why.empty() ? "" : ": ", why);
  for (const runtime::MemoryEstimate::Item& item : estimate.items) {
    fmt::print("  {:<40} host {:>11}   device {:>11}\n", item.what(), bytes_to_string(item.host_bytes),
               bytes_to_string(item.device_bytes));
  }
  fmt::print("  {:<40} host {:>11}   device {:>11}   limit {}\n", "in all", bytes_to_string(estimate.host_bytes),
             bytes_to_string(estimate.device_bytes), bytes_to_string(estimate.limit_bytes));
  if (estimate.device_limit_bytes > 0) {
    fmt::print("  {:<40} {:>27}limit {:>11}\n", "on the device", "", bytes_to_string(estimate.device_limit_bytes));
  }
  runtime::require_memory(plan, estimate);
  if (const std::string warning = runtime::memory_warning(estimate); !warning.empty()) {
    fmt::print("\nwarning: {}\n", warning);
  }
  for (const std::string& exposed : plan::exposed_secrets(plan)) fmt::print("\nwarning: {}\n", exposed);
  fmt::print("\n{}: good\n", config);
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
