#include "app/replay_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "plan/output_format.hpp"
#include "plan/query_compiler.hpp"

namespace weir::app {
namespace {

constexpr std::string_view kPlace = "{query}";

spec::RowFormat format_of(const ReplayOutput& output) {
  if (!output.format.empty()) {
    return output.format == "csv" ? spec::RowFormat::csv : spec::RowFormat::jsonl;
  }
  const std::optional<spec::RowFormat> format = plan::format_of_path(output.file);
  if (!format) {
    throw ConfigError(fmt::format("--output {}: this ends as a file of a format that cannot be written", output.file),
                      "JSON lines and CSV can be: end it in .jsonl or .csv, or say --format jsonl or csv");
  }
  return *format;
}

/// "rows.csv" with a place for the query's name.
std::string with_place(const std::string& file) {
  const std::filesystem::path path(file);
  return (path.parent_path() / path.stem()).string() + "-" + std::string(kPlace) + path.extension().string();
}

void require_other_file(const ReplayOutput& output, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    std::error_code ignored;  // of what is not there
    if (std::filesystem::is_regular_file(output.file, ignored) &&
        std::filesystem::equivalent(output.file, input, ignored)) {
      throw ConfigError(fmt::format("--output {}: this file is read by the replay", output.file),
                        "give it another path");
    }
  }
}

void put_all_into(spec::Pipeline& pipeline, const ReplayOutput& output) {
  spec::Sink sink;
  sink.name = "--output";  // what messages call it
  sink.kind = spec::SinkKind::file;
  sink.path = output.file;
  sink.format = format_of(output);
  // What is there for other queries alone stays so.
  std::vector<spec::Query*> shown;
  for (spec::Query& query : pipeline.queries) {
    if (!plan::sinks_of(pipeline, query).empty()) {
      shown.push_back(&query);
    }
  }
  if (sink.format == spec::RowFormat::csv && shown.size() > 1 && output.file.find(kPlace) == std::string::npos) {
    throw ConfigError(fmt::format("--output {}: {} queries have different columns, so each needs a CSV file of its own",
                                  output.file, shown.size()),
                      sink.to_standard_output() ? "--format jsonl, or --output '{query}.csv'"
                                                : fmt::format("--output '{}'", with_place(output.file)));
  }
  for (spec::Query* const query : shown) {
    query->sinks = {sink.name};
  }
  pipeline.sinks.clear();
  pipeline.sinks.push_back(std::move(sink));
}

/// The console that every query without sinks has, as one that was declared.
void declare_console(spec::Pipeline& pipeline) {
  const bool declared = std::any_of(pipeline.sinks.begin(), pipeline.sinks.end(),
                                    [](const spec::Sink& sink) { return sink.name == "console"; });
  if (!declared) {
    pipeline.sinks.emplace_back().name = "console";
  }
}

}  // namespace

void set_output(spec::Pipeline& pipeline, const ReplayOutput& output, const std::vector<std::string>& inputs) {
  if (!output.file.empty()) {
    require_other_file(output, inputs);
    put_all_into(pipeline, output);
  } else if (output.rows || !output.names.empty()) {
    declare_console(pipeline);
  }
  for (spec::Sink& sink : pipeline.sinks) {
    if (output.rows) {
      sink.rows = *output.rows;
    }
    if (!output.names.empty()) {
      sink.names = output.names == "plain" ? spec::ColumnNames::plain : spec::ColumnNames::verbatim;
    }
  }
}

}  // namespace weir::app
