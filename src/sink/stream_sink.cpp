#include "sink/stream_sink.hpp"

#include <fmt/core.h>

#include "core/error.hpp"

namespace weir::sink {

StreamSink::Query& StreamSink::attach(const batch::ResultShape& shape) {
  for (const auto& query : queries_) {
    if (query->shape == &shape) return *query;
  }
  return *queries_.emplace_back(std::make_unique<Query>(Query{&shape, RowFormat(shape, names_)}));
}

void StreamSink::prepare(const std::vector<const batch::ResultShape*>& shapes) {
  if (csv_ && shapes.size() > 1) {
    throw ConfigError(fmt::format("{} queries would write CSV of different columns to standard output", shapes.size()),
                      "write JSON lines, or a file each");
  }
}

void StreamSink::open(const std::vector<const batch::ResultShape*>& shapes) {
  prepare(shapes);
  for (const batch::ResultShape* shape : shapes) {
    attach(*shape);
    if (csv_) {
      append_csv_header(text_, *shape, names_);
      text_.push_back('\n');
    }
  }
}

void StreamSink::write(const batch::ResultTable& table) {
  constexpr std::size_t kEnough = 1U << 16U;  // bytes kept before the stream gets them
  Query& query = attach(table.shape());
  for (std::size_t row = 0; row < table.size(); ++row) {
    if (csv_) {
      query.format.append_csv(text_, table, row);
    } else {
      query.format.append_json(text_, table, row);
    }
    text_.push_back('\n');
    if (text_.size() >= kEnough) flush();
  }
}

std::string StreamSink::checkpoint(std::vector<FileToSync>& /*to_sync*/) {
  flush();
  return {};
}

}  // namespace weir::sink
