#include "plan/configuration.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>

#include "plan/compile.hpp"
#include "plan/configuration_parts.hpp"
#include "plan/table_reader.hpp"

namespace weir::plan {
namespace {

// A configuration is written by hand; more is a wrong file, such as the data itself.
constexpr std::size_t kMaxConfigurationBytes = std::size_t{16} << 20U;

std::string read_all(std::istream& in, const std::string& name) {
  std::string text;
  char block[16 * 1024];
  while (in.read(block, sizeof block), in.gcount() > 0) {
    text.append(block, static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMaxConfigurationBytes) {
      throw ConfigError({{name, 0, "larger than 16 MiB: this is no configuration", {}}});
    }
  }
  if (in.bad()) {
    throw ConfigError({{name, 0, fmt::format("cannot be read: {}", std::strerror(errno)), {}}});
  }
  return text;
}

void read_pipeline(const Document& table, Diagnostics& diagnostics, spec::Pipeline& pipeline) {
  constexpr std::pair<std::string_view, spec::JournalSync> kSyncs[] = {{"batch", spec::JournalSync::batch},
                                                                       {"always", spec::JournalSync::always}};
  constexpr std::int64_t kMost32 = std::numeric_limits<std::uint32_t>::max();
  TableReader reader(table, "[pipeline]", diagnostics);
  reader.duration("batch_interval", pipeline.batch_interval);
  reader.string("state_dir", pipeline.state_dir);
  reader.duration("checkpoint_interval", pipeline.checkpoint_interval);
  reader.choice<spec::JournalSync>("journal_sync", pipeline.journal_sync, kSyncs);
  reader.string("device", pipeline.device);
  reader.integer("threads", pipeline.threads, 0, 4096);
  reader.bytes("journal_memory", pipeline.journal_memory);
  reader.bytes("max_message", pipeline.max_message);
  reader.bytes("journal_segment", pipeline.journal_segment);
  reader.bytes("journal_backlog", pipeline.journal_backlog);
  reader.bytes("memory_limit", pipeline.memory_limit);
  reader.integer("batch_rows", pipeline.batch_rows, 1, kMost32);
  reader.string("dead_letter", pipeline.dead_letter);
  reader.bytes("dead_letter_bytes", pipeline.dead_letter_bytes);
  reader.integer("dead_letter_limit", pipeline.dead_letter_limit, 0, kMost32);
  reader.finish();
  pipeline.unread = std::move(reader).unread();
}

/// Calls `read(table)` for each `[[name]]`.
template <typename Read>
void read_tables(TableReader& reader, std::string_view name, Diagnostics& diagnostics, Read read) {
  const Document* entry = reader.find(name);
  if (entry == nullptr) {
    return;
  }
  const std::string suggestion = fmt::format("begin each one with [[{}]]", name);
  if (entry->kind != Document::Kind::array) {
    reader.unreadable(name);
    diagnostics.add(entry->line, fmt::format("'{}' must be an array of tables, not {}", name, kind_name(entry->kind)),
                    suggestion);
    return;
  }
  for (const Document& element : entry->elements) {
    if (element.kind == Document::Kind::table) {
      read(element);
    } else {
      reader.unreadable(name);
      diagnostics.add(element.line, fmt::format("'{}' must hold tables, not {}", name, kind_name(element.kind)),
                      suggestion);
    }
  }
}

void read_streams(TableReader& reader, Diagnostics& diagnostics, std::vector<spec::Stream>& out) {
  const Document* streams = reader.find("streams");
  if (streams == nullptr) {
    return;
  }
  const std::string suggestion = "begin each stream with [streams.NAME]";
  if (streams->kind != Document::Kind::table) {
    reader.unreadable("streams");
    diagnostics.add(streams->line, fmt::format("'streams' must be a table, not {}", kind_name(streams->kind)),
                    suggestion);
    return;
  }
  for (const auto& [name, table] : streams->members) {
    if (table.kind == Document::Kind::table) {
      out.push_back(read_stream(name, table, diagnostics));
    } else {
      reader.unreadable("streams");
      diagnostics.add(table.line, fmt::format("stream '{}' must be a table, not {}", name, kind_name(table.kind)),
                      suggestion);
    }
  }
}

}  // namespace

spec::Pipeline read_form(std::string_view toml, const std::string& name, Diagnostics& diagnostics) {
  const Document document = parse_document(toml, name, process_environment, diagnostics);
  spec::Pipeline pipeline;
  pipeline.file = name;

  TableReader reader(document, "configuration", diagnostics);
  if (const Document* table = reader.find("pipeline")) {
    if (table->kind == Document::Kind::table) {
      read_pipeline(*table, diagnostics, pipeline);
    } else {
      reader.wrong_type(*table, "pipeline", "a table");
    }
  }
  read_streams(reader, diagnostics, pipeline.streams);
  read_tables(reader, "query", diagnostics,
              [&](const Document& table) { pipeline.queries.push_back(read_query(table, diagnostics)); });
  read_tables(reader, "sink", diagnostics,
              [&](const Document& table) { pipeline.sinks.push_back(read_sink(table, diagnostics)); });
  if (!reader.finish()) {
    // [[queries]] is no near spelling of anything; what is absent may be meant.
    for (const std::string_view part : {"streams", "query", "sink"}) {
      if (reader.find(part) == nullptr) {
        reader.unreadable(part);
      }
    }
  }
  for (std::string& entry : std::move(reader).unread()) {
    pipeline.unread.push_back(std::move(entry));
  }
  return pipeline;
}

spec::Pipeline parse_configuration(std::string_view toml, const std::string& name) {
  Diagnostics diagnostics(name);
  spec::Pipeline pipeline = read_form(toml, name, diagnostics);
  if (!diagnostics.empty()) {
    compile(pipeline, diagnostics);  // what the rest means, so that everything is reported in one go
    diagnostics.throw_if_any();
  }
  return pipeline;
}

spec::Pipeline read_configuration(const std::string& path) {
  if (path == "-") {
    return parse_configuration(read_all(std::cin, "standard input"), "standard input");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw ConfigError({{path, 0, fmt::format("cannot be opened: {}", std::strerror(errno)), {}}});
  }
  return parse_configuration(read_all(in, path), path);
}

}  // namespace weir::plan
