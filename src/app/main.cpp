// `weir`: the command line. Parses arguments, turns errors into one line and an exit code.
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "app/command.hpp"
#include "app/log.hpp"
#include "core/error.hpp"

#ifndef WEIR_VERSION
#define WEIR_VERSION "0.0.0"
#endif

namespace {

int run(int argc, char** argv) {
  weir::app::Context context;
  CLI::App app{"Weir: exact stream processing of sensor readings", "weir"};
  app.set_version_flag("--version", "weir " WEIR_VERSION);
  app.add_option("--log-level", context.log_level, "trace, debug, info, warn, error or off")->capture_default_str();
  app.add_flag("--json-log", context.json_log, "Log as JSON lines");
  app.require_subcommand(1);
  app.fallthrough();
  app.parse_complete_callback([&context] { weir::app::set_up_log(context); });
  weir::app::add_run(app, context);
  weir::app::add_replay(app, context);
  weir::app::add_record(app, context);
  weir::app::add_check(app, context);
  weir::app::add_simulate(app, context);
  weir::app::add_bench(app, context);
  weir::app::add_verify(app, context);
  weir::app::add_inspect(app, context);
  weir::app::add_devices(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? weir::app::kDone : weir::app::kUsage;
  }
  return context.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away (weir replay … | head) is an error of the write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  // A file that reaches the limit of `ulimit -f` is a write error too.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const weir::ConfigError& error) {
    for (const weir::Diagnostic& diagnostic : error.diagnostics()) {
      std::fprintf(stderr, "weir: %s\n", weir::to_string(diagnostic).c_str());
    }
    return weir::app::kUsage;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "weir: out of memory\n");
    return weir::app::kFailed;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weir: %s\n", error.what());
    return weir::app::kFailed;
  }
}
