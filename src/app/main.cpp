// `weir`: the command line. Parses arguments, turns errors into one line and an exit code.
#include <fcntl.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <csignal>
#include <exception>
#include <iostream>
#include <sstream>

#include "app/command.hpp"
#include "app/log.hpp"
#include "app/output.hpp"
#include "core/log.hpp"

#ifndef WEIR_VERSION
#define WEIR_VERSION "0.0.0"
#endif

namespace {

// A program may be started without standard streams. What it opens next would take their numbers, and rows and log
// lines would go into a data file.
void open_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is this one: those below are open by now.
    if (::open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY) != descriptor)
      ::_exit(weir::app::kFailed);
  }
}

void run(int argc, char** argv, weir::app::Context& context) {
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
    std::ostringstream mistakes;  // what it quotes of the arguments is not to reach the terminal as it is
    context.exit_code = app.exit(error, std::cout, mistakes) == 0 ? weir::app::kDone : weir::app::kUsage;
    weir::app::put_lines(context, weir::log::Level::error, mistakes.str());
  }
  weir::app::flush_output();
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_streams();
  // A reader that goes away (weir replay … | head) is an error of the write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  // A file that reaches the limit of `ulimit -f` is a write error too.
  std::signal(SIGXFSZ, SIG_IGN);
  weir::app::Context context;
  try {
    run(argc, argv, context);
    return context.exit_code;
  } catch (const std::exception& error) {
    return weir::app::report_failure(context, error);
  }
}
