// `weir record`: what the sources deliver goes into journals, which `weir replay` reads.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <utility>

#include "app/command.hpp"
#include "app/log.hpp"
#include "core/log.hpp"
#include "plan/configuration.hpp"
#include "plan/exposed_secrets.hpp"
#include "plan/plan.hpp"
#include "plan/required_files.hpp"
#include "runtime/recorder.hpp"
#include "runtime/shutdown.hpp"

namespace weir::app {
namespace {

struct RecordOptions {
  std::string config;
  std::string output;
};

int record(const RecordOptions& options, const Context& context) {
  runtime::StopOnSignals signals;  // before the first thread starts, as in run_pipeline()
  plan::Plan plan = plan::compile(plan::read_configuration(options.config));
  plan::require_files(plan, plan::Inputs::leave_out);
  for (const std::string& exposed : plan::exposed_secrets(plan)) log::warn("{}", exposed);
  runtime::Recorder recorder(std::move(plan), options.output);
  recorder.start();
  {
    const auto run = signals.stops([&recorder] { recorder.request_stop(); });
    recorder.wait();
  }
  for (const runtime::Recorder::Stream& stream : recorder.report()) {
    put_lines(context, log::Level::info,
              fmt::format("stream {}: {} messages, {:.1f} MB, {} shed, in {}", stream.name, stream.messages,
                          static_cast<double>(stream.payload_bytes) / 1e6, stream.shed, stream.directory));
  }
  return kDone;
}

}  // namespace

void add_record(CLI::App& app, Context& context) {
  auto options = std::make_shared<RecordOptions>();
  CLI::App* const command =
      app.add_subcommand("record", "Write what the sources deliver into a journal that 'replay --input' reads");
  command->add_option("CONFIG", options->config, "Configuration file ('-': standard input)")->required();
  command->add_option("--output", options->output, "Directory of the recording; one that exists is continued")
      ->required();
  command->callback([options, &context] { context.exit_code = record(*options, context); });
}

}  // namespace weir::app
