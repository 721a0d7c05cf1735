// The subcommands of `weir`. Each file registers one with the parser; its callback sets the exit code.
#pragma once

#include <string>

// Every file that includes CLI11 pays for the whole parser: only those that add options do.
namespace CLI {
class App;
}

namespace weir::app {

/// Exit codes (interface of the command line).
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNothingDelivered = 3;  ///< a replay in which readings came, but none could be delivered

struct Context {
  int exit_code = kDone;
  std::string log_level = "info";
  bool json_log = false;
};

void add_run(CLI::App& app, Context& context);
void add_replay(CLI::App& app, Context& context);
void add_record(CLI::App& app, Context& context);
void add_check(CLI::App& app, Context& context);
void add_simulate(CLI::App& app, Context& context);
void add_bench(CLI::App& app, Context& context);
void add_verify(CLI::App& app, Context& context);
void add_inspect(CLI::App& app, Context& context);
void add_devices(CLI::App& app, Context& context);

}  // namespace weir::app
