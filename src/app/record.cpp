// `weir record`: what the sources deliver goes into journals, which `weir replay` reads.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/command.hpp"
#include "app/log.hpp"
#include "core/log.hpp"
#include "core/topic_pattern.hpp"
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
  std::string client_id;
};

// The broker's session belongs to the gateway: under its client_id a recorder would take what waits there, and in its
// group of a shared subscription a part of what comes.
void subscribe_beside_the_gateway(spec::Pipeline& pipeline, const std::string& client_id) {
  std::vector<spec::Source*> sources;
  for (spec::Stream& stream : pipeline.streams) {
    for (spec::Source& source : stream.sources) {
      if (source.kind == spec::SourceKind::mqtt) {
        sources.push_back(&source);
      }
    }
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    spec::Source& source = *sources[i];
    source.client_id = client_id.empty() || sources.size() == 1 ? client_id : fmt::format("{}-{}", client_id, i + 1);
    if (source.client_id.empty()) {
      source.persistence_dir.clear();
    }
    for (std::string& topic : source.topics) {
      topic = without_share(topic);
    }
  }
}

int record(const RecordOptions& options, const Context& context) {
  runtime::StopOnSignals signals;  // before the first thread starts, as in run_pipeline()
  spec::Pipeline pipeline = plan::read_configuration(options.config);
  subscribe_beside_the_gateway(pipeline, options.client_id);
  plan::Plan plan = plan::compile(std::move(pipeline));
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
  command->add_option("--client-id", options->client_id,
                      "Keep an MQTT session of this name between recordings; default: none, and never the gateway's");
  command->callback([options, &context] { context.exit_code = record(*options, context); });
}

}  // namespace weir::app
