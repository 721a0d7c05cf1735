#include "sink/file_sink.hpp"

#include <fmt/core.h>

#include "core/error.hpp"
#include "sink/position_text.hpp"

namespace weir::sink {
namespace {

constexpr std::string_view kPositionFormat = "files 1";

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

}  // namespace

FileSink::FileSink(const spec::Sink& spec, FileSystem& files)
    : path_text_(spec.path),
      path_(spec.path, "path"),
      format_(spec.format),
      rotation_{spec.rotate_bytes, spec.rotate_every},
      beginning_(spec.append ? OutputFile::Beginning::append : OutputFile::Beginning::overwrite),
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

FileSink::Query& FileSink::attach(const batch::ResultShape& shape) {
  for (const auto& query : queries_) {
    if (query->shape == &shape) return *query;
  }
  std::string header;
  if (format_ == spec::RowFormat::csv) {
    append_csv_header(header, shape);
    header.push_back('\n');
  }
  const std::string path = path_of(shape.query);
  OutputFile* file = nullptr;
  for (const auto& existing : files_) {
    if (existing->path() == path) file = existing.get();
  }
  if (file == nullptr) {
    file = files_
               .emplace_back(std::make_unique<OutputFile>(OutputFile::System{file_system_, disk_}, path, header,
                                                          rotation_, beginning_))
               .get();
  } else if (file->header() != header) {
    throw ConfigError(fmt::format("query '{}' has other columns than the CSV file '{}'", shape.query, path),
                      "put {query} into the path, or choose a new path");
  }
  return *queries_.emplace_back(std::make_unique<Query>(Query{&shape, RowFormat(shape), file}));
}

void FileSink::open(const std::vector<const batch::ResultShape*>& shapes) {
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
  for (const auto& file : files_) append_position(position, file->checkpoint(to_sync));
  return position;
}

void FileSink::resume(const std::string& position) {
  PositionReader in(position);
  if (in.bytes() != kPositionFormat) throw Error("the checkpoint holds a file sink's position of another version");
  if (in.bytes() != path_text_) return;
  while (!in.at_end()) {
    files_.push_back(
        std::make_unique<OutputFile>(OutputFile::System{file_system_, disk_}, read_position(in), rotation_));
  }
}

void FileSink::close() {
  for (const auto& file : files_) file->close();
}

}  // namespace weir::sink
