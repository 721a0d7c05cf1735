#include "app/replay_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "core/error.hpp"
#include "core/spelling.hpp"
#include "journal/durable_journal.hpp"
#include "runtime/journals.hpp"

namespace weir::app {
namespace {

using spec::FormatKind;
using spec::SourceKind;

bool finite(const spec::Source& source) {
  return source.kind == SourceKind::file || source.kind == SourceKind::directory ||
         source.kind == SourceKind::standard_input;
}

// The name says what a recording holds; where it says nothing, the recording is in the format of the live source.
spec::Format format_of(const std::string& path, const spec::Format& live) {
  const auto ends_with = [&path](std::string_view end) { return path.size() > end.size() && path.ends_with(end); };
  spec::Format format = live;
  if (ends_with(".csv")) {
    if (live.kind != FormatKind::csv && live.kind != FormatKind::senml) {
      format = {};
      format.kind = FormatKind::csv;
    }
  } else if (ends_with(".json") || ends_with(".jsonl") || ends_with(".ndjson")) {
    if (live.kind != FormatKind::json && live.kind != FormatKind::senml) {
      format = {};
      format.kind = FormatKind::json;
    }
  } else if (ends_with(".senml")) {
    format = {};
    format.kind = FormatKind::senml;
  } else if ((ends_with(".lp") || ends_with(".line")) && live.kind != FormatKind::line) {
    format = {};
    format.kind = FormatKind::line;
  }
  return format;
}

// The journal among the inputs of a stream: a segment, a directory of them, or a recording or state directory that has
// one for the stream. Empty: the inputs are files of readings.
std::string journal_of(const std::vector<std::string>& inputs, const spec::Stream& stream) {
  for (const std::string& input : inputs) {
    for (const std::string& path : {input, input + "/" + stream.name, runtime::journal_directory(input, stream.name)}) {
      if (input == "-" || !journal::is_journal(path)) {
        continue;
      }
      if (inputs.size() > 1) {
        throw ConfigError(fmt::format("--input {}: a journal is the only input of its stream", input));
      }
      return path;
    }
  }
  return {};
}

}  // namespace

std::map<std::string, std::string> read_from_files(spec::Pipeline& pipeline, const std::vector<std::string>& inputs) {
  std::map<std::string, std::vector<std::string>> files;
  std::vector<std::string_view> names;
  for (const spec::Stream& stream : pipeline.streams) {
    names.push_back(stream.name);
  }
  for (const std::string& input : inputs) {
    const std::size_t equals = input.find('=');
    const std::string before = input.substr(0, equals);
    if (equals != std::string::npos && std::find(names.begin(), names.end(), before) != names.end()) {
      files[before].push_back(input.substr(equals + 1));
    } else if (names.size() == 1) {
      files[std::string(names.front())].push_back(input);
    } else {
      throw ConfigError(fmt::format("--input {}: the configuration has {} streams", input, names.size()),
                        fmt::format("say which: --input {}={}", names.empty() ? "STREAM" : names.front(), input));
    }
  }
  std::map<std::string, std::string> journals;
  std::vector<Diagnostic> missing;
  for (spec::Stream& stream : pipeline.streams) {
    const auto named = files.find(stream.name);
    if (named == files.end()) {
      if (!std::all_of(stream.sources.begin(), stream.sources.end(), finite)) {
        missing.push_back({pipeline.file, stream.line, fmt::format("stream '{}' reads a live source", stream.name),
                           fmt::format("give its recording: --input {}=FILE", stream.name)});
      }
      continue;
    }
    if (const std::string journal = journal_of(named->second, stream); !journal.empty()) {
      journals[stream.name] = journal;
      continue;
    }
    const spec::Source live = stream.sources.empty() ? spec::Source{} : stream.sources.front();
    stream.sources.clear();
    for (const std::string& path : named->second) {
      spec::Source source;
      source.kind = path == "-" ? SourceKind::standard_input : SourceKind::file;
      source.path = path;
      source.line = live.line;
      source.format = format_of(path, live.format);
      stream.sources.push_back(std::move(source));
    }
  }
  if (!missing.empty()) {
    throw ConfigError(std::move(missing));
  }
  return journals;
}

}  // namespace weir::app
