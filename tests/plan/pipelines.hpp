// Small pipelines for the tests of this room.
#pragma once

#include <string>
#include <vector>

#include "core/error.hpp"
#include "plan/configuration.hpp"
#include "plan/configuration_parts.hpp"
#include "plan/plan.hpp"

namespace weir::plan_test {

/// A stream `s` with keys `machine` and `line`, fields `load` (3 places), `speed` (required, 2) and `raw` (0).
inline spec::Stream simple_stream() {
  spec::Stream stream;
  stream.name = "s";
  stream.schema.keys = {{"machine", ""}, {"line", ""}};
  stream.schema.fields = {{"load", 3, "", false}, {"speed", 2, "", true}, {"raw", 0, "", false}};
  stream.time.field = "t";
  spec::Source source;
  source.kind = spec::SourceKind::file;
  source.path = "in.jsonl";
  stream.sources.push_back(source);
  return stream;
}

/// One query `q` over simple_stream(), tumbling 10 s, with `select`.
inline spec::Pipeline simple_pipeline(std::vector<std::string> select = {"count()"}) {
  spec::Pipeline pipeline;
  pipeline.streams.push_back(simple_stream());
  spec::Query query;
  query.name = "q";
  query.from = "s";
  query.group_by = {"machine"};
  query.select = std::move(select);
  query.window = std::chrono::seconds(10);
  pipeline.queries.push_back(query);
  return pipeline;
}

/// Every diagnostic as the user sees it; empty when the pipeline compiles.
inline std::vector<std::string> mistakes_of(const spec::Pipeline& pipeline) {
  std::vector<std::string> result;
  try {
    (void)plan::compile(pipeline);
  } catch (const ConfigError& error) {
    for (const Diagnostic& diagnostic : error.diagnostics()) {
      result.push_back(to_string(diagnostic));
    }
  }
  return result;
}

/// The same for a configuration's text, in the file "c.toml".
inline std::vector<std::string> mistakes_in(const std::string& toml) {
  std::vector<std::string> result;
  try {
    (void)plan::compile(plan::parse_configuration(toml, "c.toml"));
  } catch (const ConfigError& error) {
    for (const Diagnostic& diagnostic : error.diagnostics()) {
      result.push_back(to_string(diagnostic));
    }
  }
  return result;
}

/// Only those of form, also where the rest means nothing.
inline std::vector<std::string> mistakes_of_form_in(const std::string& toml) {
  plan::Diagnostics diagnostics("c.toml");
  std::vector<std::string> result;
  try {
    (void)plan::read_form(toml, "c.toml", diagnostics);
    diagnostics.throw_if_any();
  } catch (const ConfigError& error) {
    for (const Diagnostic& diagnostic : error.diagnostics()) {
      result.push_back(to_string(diagnostic));
    }
  }
  return result;
}

}  // namespace weir::plan_test
