#include "app/replay_input.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/file_list.hpp"
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

/// What the name says of the format, behind the endings of compressed files.
std::optional<FormatKind> format_by_name(std::string_view path) {
  for (const std::string_view packed : {".gz", ".zst"}) {
    path.remove_suffix(path.ends_with(packed) ? packed.size() : 0);
  }
  constexpr std::pair<std::string_view, FormatKind> kEndings[] = {
      {".csv", FormatKind::csv},     {".json", FormatKind::json},   {".jsonl", FormatKind::json},
      {".ndjson", FormatKind::json}, {".senml", FormatKind::senml}, {".lp", FormatKind::line},
      {".line", FormatKind::line}};
  for (const auto& [ending, kind] : kEndings) {
    if (path.size() > ending.size() && path.ends_with(ending)) {
      return kind;
    }
  }
  return std::nullopt;
}

// The name says what a recording holds; where it says nothing, the recording is in the format of the live source.
spec::Format format_of(std::string_view path, const spec::Format& live) {
  const std::optional<FormatKind> named = format_by_name(path);
  if (!named || *named == live.kind || (live.kind == FormatKind::senml && *named != FormatKind::senml)) {
    return live;
  }
  spec::Format format;
  format.kind = *named;
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

bool names_files(const std::string& input) {
  return input == "-" || !list_files({input}).files.empty();
}

/// The stream that an input belongs to; what follows "STREAM=" stays in `input`.
std::string stream_of(std::string& input, const std::vector<std::string_view>& names) {
  const std::size_t equals = input.find('=');
  std::string before = input.substr(0, equals);
  if (equals != std::string::npos && std::find(names.begin(), names.end(), before) != names.end()) {
    input.erase(0, equals + 1);
    return before;
  }
  // A file may have an equals sign in its name; but "tempratures=a.jsonl" is meant otherwise.
  if (equals != std::string::npos && !before.empty() && before.find('/') == std::string::npos && !names.empty() &&
      !names_files(input) && (names_files(input.substr(equals + 1)) || !nearest_spelling(before, names).empty())) {
    throw ConfigError(fmt::format("--input {}: the configuration has no stream '{}'", input, before),
                      suggest(before, names));
  }
  if (names.size() != 1) {
    throw ConfigError(fmt::format("--input {}: the configuration has {} streams", input, names.size()),
                      fmt::format("say which: --input {}={}", names.empty() ? "STREAM" : names.front(), input));
  }
  return std::string(names.front());
}

/// All inputs of a stream as one source.
spec::Source source_of(const std::vector<std::string>& inputs, const spec::Source& live) {
  spec::Source source;
  source.line = live.line;
  source.encoding = live.encoding;
  if (inputs.size() == 1 && inputs.front() == "-") {
    source.kind = SourceKind::standard_input;
    source.path = "-";
    source.format = live.format;
    return source;
  }
  if (std::find(inputs.begin(), inputs.end(), "-") != inputs.end()) {
    throw ConfigError("--input -: standard input is the only input of its stream",
                      "cat the files together, or leave it out");
  }
  source.kind = SourceKind::file;
  std::error_code ignored;
  const std::filesystem::file_type type = std::filesystem::status(inputs.front(), ignored).type();
  if (inputs.size() == 1 && type != std::filesystem::file_type::directory &&
      (type != std::filesystem::file_type::not_found || !is_glob(inputs.front()))) {
    source.path = inputs.front();
    source.format = format_of(source.path, live.format);
    return source;
  }
  const FileList files = list_files(inputs);
  if (!files.mistakes.empty()) {
    std::vector<Diagnostic> mistakes;
    for (const std::string& mistake : files.mistakes) {
      mistakes.push_back({"", 0, "--input: " + mistake, ""});
    }
    throw ConfigError(std::move(mistakes));
  }
  source.paths = inputs;
  source.format = format_of(files.files.front(), live.format);
  for (const std::string& file : files.files) {
    if (format_of(file, live.format).kind != source.format.kind) {
      throw ConfigError(
          fmt::format("--input: '{}' and '{}' have different formats by their names", files.files.front(), file),
          "the inputs of a stream are read one after the other, in one format: replay them apart");
    }
  }
  return source;
}

}  // namespace

std::map<std::string, std::string> read_from_files(spec::Pipeline& pipeline, const std::vector<std::string>& inputs) {
  std::map<std::string, std::vector<std::string>> files;
  std::vector<std::string_view> names;
  for (const spec::Stream& stream : pipeline.streams) {
    names.push_back(stream.name);
  }
  for (std::string input : inputs) {
    const std::string stream = stream_of(input, names);
    files[stream].push_back(std::move(input));
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
    stream.sources = {source_of(named->second, live)};
  }
  if (!missing.empty()) {
    throw ConfigError(std::move(missing));
  }
  return journals;
}

std::function<std::vector<std::string>()> add_inputs(CLI::App& command, const std::string& help) {
  auto values = std::make_shared<std::array<std::vector<std::string>, 2>>();
  CLI::Option* const option =
      command.add_option("--input", values->front(), help)->allow_extra_args(false)->type_name("INPUT");
  // What a shell makes of --input *.jsonl: all but the first stand behind the option.
  CLI::Option* const more = command.add_option("INPUT", values->back(), "More inputs, read behind those before");
  return [&command, option, more, values] {
    std::vector<std::string> inputs;
    std::size_t next_option = 0;
    std::size_t next_more = 0;
    for (const CLI::Option* const parsed : command.parse_order()) {
      if (parsed == option && next_option < option->results().size()) {
        inputs.push_back(option->results()[next_option++]);
      } else if (parsed == more && next_more < more->results().size()) {
        inputs.push_back(more->results()[next_more++]);
      }
    }
    return inputs;
  };
}

}  // namespace weir::app
