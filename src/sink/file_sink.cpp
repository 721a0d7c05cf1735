#include "sink/file_sink.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.hpp"
#include "sink/position_text.hpp"

namespace weir::sink {
namespace {

// Format 1 does not know whose rows a file holds.
constexpr std::string_view kPositionFormat1 = "files 1";
constexpr std::string_view kPositionFormat = "files 2";

void append_position(std::string& out, const FilePosition& position) {
  append_field(out, std::string_view(position.path));
  append_field(out, std::string_view(position.header));
  append_field(out, position.offset);
  append_field(out, position.tail_hash);
  append_field(out, std::uint64_t{position.first_window_end_ns.has_value()});
  append_field(out, position.first_window_end_ns.value_or(0));
  append_field(out, position.newest_window_end_ns);
  append_field(out, std::string_view(position.last_stamp));
  append_field(out, position.last_number);
}

FilePosition read_position(PositionReader& in) {
  FilePosition position;
  position.path = in.bytes();
  position.header = in.bytes();
  position.offset = in.number();
  position.tail_hash = in.number();
  const bool has_rows = in.number() != 0;
  const std::int64_t first = in.signed_number();
  if (has_rows) position.first_window_end_ns = first;
  position.newest_window_end_ns = in.signed_number();
  position.last_stamp = in.bytes();
  position.last_number = in.number();
  return position;
}

[[noreturn]] void refuse_columns(std::string_view query, const std::string& path) {
  throw ConfigError(fmt::format("query '{}' has other columns than the CSV file '{}'", query, path),
                    "put {query} into the path, or choose a new path");
}

}  // namespace

FileSink::FileSink(const spec::Sink& spec, FileSystem& files)
    : path_text_(spec.path),
      path_(spec.path, "path"),
      format_(spec.format),
      names_(spec.names),
      rotation_{spec.rotate_bytes, spec.rotate_every},
      beginning_(spec.append ? OutputFile::Beginning::append : OutputFile::Beginning::overwrite),
      mode_(spec.mode),
      file_system_(files) {
  for (const NameTemplate::Part& part : path_.parts()) {
    if (part.placeholder && part.text != "query") {
      throw ConfigError(fmt::format("path '{}' has the unknown placeholder {{{}}}", spec.path, part.text),
                        "only {query} can be filled in");
    }
  }
}

std::string FileSink::path_of(std::string_view query) const {
  std::string path;
  for (const NameTemplate::Part& part : path_.parts()) {
    if (!part.placeholder) {
      path.append(part.text);
      continue;
    }
    for (const char c : query) {
      // A slash in a query's name must not name another directory.
      if (c == '/') {
        path.append("%2F");
      } else {
        path.push_back(c);
      }
    }
  }
  return path;
}

std::string FileSink::header_of(const batch::ResultShape& shape) const {
  std::string header;
  if (format_ == spec::RowFormat::csv) {
    append_csv_header(header, shape, names_);
    header.push_back('\n');
  }
  return header;
}

OutputFile::Beginning FileSink::beginning_of(const std::string& path) const {
  return kept_files_.contains(path) ? OutputFile::Beginning::append : beginning_;
}

FileSink::Query& FileSink::attach(const batch::ResultShape& shape) {
  for (const auto& query : queries_) {
    if (query->shape == &shape) return *query;
  }
  const std::string header = header_of(shape);
  const std::string path = path_of(shape.query);
  OutputFile* file = nullptr;
  for (const auto& existing : files_) {
    if (existing->path() == path) file = existing.get();
  }
  if (file == nullptr) {
    file =
        files_.emplace_back(std::make_unique<OutputFile>(system(), path, header, rotation_, beginning_of(path))).get();
  } else if (file->header() != header) {
    refuse_columns(shape.query, path);
  }
  return *queries_.emplace_back(std::make_unique<Query>(Query{&shape, RowFormat(shape, names_), file}));
}

void FileSink::prepare(const std::vector<const batch::ResultShape*>& shapes) {
  std::map<std::string, std::string> headers;
  for (const FilePosition& position : resumed_) headers[position.path] = position.header;
  for (const batch::ResultShape* shape : shapes) {
    const std::string path = path_of(shape->query);
    const auto [known, is_new] = headers.emplace(path, header_of(*shape));
    if (is_new) {
      OutputFile::require_usable(file_system_, path, header_of(*shape), beginning_of(path));
    } else if (known->second != header_of(*shape)) {
      refuse_columns(shape->query, path);
    }
  }
}

void FileSink::open(const std::vector<const batch::ResultShape*>& shapes) {
  for (const FilePosition& position : std::exchange(resumed_, {})) {
    files_.push_back(std::make_unique<OutputFile>(system(), position, rotation_));
  }
  for (const batch::ResultShape* shape : shapes) attach(*shape);
}

void FileSink::write(const batch::ResultTable& table) {
  if (table.empty()) return;
  Query& query = attach(table.shape());
  for (std::size_t row = 0; row < table.size(); ++row) {
    std::string& out = query.file->begin_row(table.row(row).window_end_ns);
    if (format_ == spec::RowFormat::csv) {
      query.format.append_csv(out, table, row);
    } else {
      query.format.append_json(out, table, row);
    }
    query.file->end_row();
  }
}

void FileSink::flush() {
  for (const auto& file : files_) file->flush();
}

std::string FileSink::checkpoint(std::vector<FileToSync>& to_sync) {
  std::string position;
  append_field(position, kPositionFormat);
  append_field(position, std::string_view(path_text_));
  for (const auto& file : files_) {
    append_position(position, file->checkpoint(to_sync));
    std::vector<std::string_view> names;
    for (const auto& query : queries_) {
      if (query->file == file.get()) names.emplace_back(query->shape->query);
    }
    append_field(position, std::uint64_t{names.size()});
    for (const std::string_view name : names) append_field(position, name);
  }
  return position;
}

FileSink::Saved FileSink::read_saved(PositionReader& in, bool with_queries) {
  Saved saved{read_position(in), {}};
  for (std::uint64_t left = with_queries ? in.number() : 0; left > 0; --left) saved.queries.emplace_back(in.bytes());
  return saved;
}

void FileSink::resume(const std::string& position) {
  PositionReader in(position);
  const std::string_view format = in.bytes();
  if (format != kPositionFormat && format != kPositionFormat1) {
    throw Error("the checkpoint holds a file sink's position of another version");
  }
  if (in.bytes() != path_text_) return;
  while (!in.at_end()) {
    const Saved saved = read_saved(in, format == kPositionFormat);
    const auto kept = [this](const std::string& query) { return kept_.contains(query); };
    const auto some = std::find_if(saved.queries.begin(), saved.queries.end(), kept);
    const bool some_kept = some != saved.queries.end();
    if (some_kept && std::all_of(saved.queries.begin(), saved.queries.end(), kept)) {
      kept_files_.insert(saved.position.path);
      continue;
    }
    if (some_kept && OutputFile::has_rows_after(file_system_, saved.position)) {
      throw Error(fmt::format(
          "'{}' holds rows of several queries that are newer than the checkpoint; those of query '{}' would not come "
          "again (start and stop the former configuration once, then nothing is newer; or begin all queries of the "
          "file anew)",
          saved.position.path, *some));
    }
    OutputFile::require_at(file_system_, saved.position);
    resumed_.push_back(saved.position);
  }
}

void FileSink::close() {
  for (const auto& file : files_) file->close();
}

}  // namespace weir::sink
