// `weir devices`: which backends this machine and this build have, and why one is missing.
#include <CLI/CLI.hpp>

#include "app/command.hpp"
#include "app/output.hpp"
#include "execute/backend.hpp"

namespace weir::app {

void add_devices(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand("devices", "List the backends found, and why one was not");
  command->callback([&context] {
    for (const execute::BackendChoice& choice : execute::list_backends()) {
      print_line("{:<8} {:<13} {}", choice.name, choice.available ? "available" : "not available", choice.detail);
    }
    context.exit_code = kDone;
  });
}

}  // namespace weir::app
