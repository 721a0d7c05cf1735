#include "sink/console_sink.hpp"

#include <algorithm>

#include "core/printable.hpp"
#include "core/time_text.hpp"
#include "sink/row_format.hpp"
#include "sink/standard_output.hpp"

namespace weir::sink {
namespace {

constexpr std::string_view kRule = "-------------------------------------------\n";

// Characters of well-formed UTF-8: wide enough a measure for lining up keys.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

struct Column {
  std::string name;
  bool right = false;  // numbers stand right, text left
  std::vector<std::string> cells;

  [[nodiscard]] std::size_t widest() const {
    std::size_t most = width(name);
    for (const std::string& cell : cells) most = std::max(most, width(cell));
    return most;
  }
};

void append_cell(std::string& line, std::string_view cell, std::size_t columns, bool right) {
  const std::size_t blanks = columns - width(cell);
  if (right) line.append(blanks, ' ');
  line.append(cell);
  if (!right) line.append(blanks, ' ');
}

void end_line(std::string& text) {
  while (text.back() == ' ') text.pop_back();
  text.push_back('\n');
}

std::string time_text(std::int64_t ns) {
  std::string out;
  append_rfc3339(out, ns);
  return out;
}

std::vector<Column> columns_of(const batch::ResultTable& table, std::size_t shown, spec::ColumnNames names) {
  const batch::ResultShape& shape = table.shape();
  std::vector<Column> columns;
  columns.push_back({shape.readings ? "time" : "window_start", false, {}});
  if (!shape.readings) columns.push_back({"window_end", false, {}});
  for (const std::string& key : shape.group_keys) columns.push_back({printable(key), false, {}});
  for (const batch::ResultColumn& column : shape.columns) {
    columns.push_back({printable(name_of(column, names)), true, {}});
  }
  bool revised = false;
  for (std::size_t row = 0; row < shown; ++row) revised = revised || table.row(row).revision > 0;
  if (revised) columns.push_back({"revision", true, {}});

  for (std::size_t row = 0; row < shown; ++row) {
    auto column = columns.begin();
    (column++)->cells.push_back(time_text(table.row(row).window_start_ns));
    if (!shape.readings) (column++)->cells.push_back(time_text(table.row(row).window_end_ns));
    for (std::size_t key = 0; key < shape.group_keys.size(); ++key) {
      (column++)->cells.push_back(printable(table.group(row, key)));
    }
    for (std::size_t value = 0; value < shape.columns.size(); ++value) {
      append_json_value((column++)->cells.emplace_back(), table.value(row, value), shape.columns[value]);
    }
    if (revised) column->cells.push_back(std::to_string(table.row(row).revision));
  }
  return columns;
}

}  // namespace

void ConsoleSink::write(const batch::ResultTable& table) {
  if (table.continues && rows_ != 0) {  // the first piece showed the first rows and the dots
    not_shown_ += table.size();
    return;
  }
  std::int64_t time_ns = table.batch_end_ns;
  if (time_ns == 0 && table.size() > 0) {
    time_ns = table.row(0).window_end_ns;
    for (std::size_t row = 1; row < table.size(); ++row) time_ns = std::max(time_ns, table.row(row).window_end_ns);
  }
  text_.append(kRule).append("Time: ");
  if (time_ns == 0) {
    text_.push_back('-');
  } else {
    append_rfc3339(text_, time_ns);
  }
  text_.append("   query: ").append(printable(table.shape().query)).push_back('\n');
  text_.append(kRule);
  const std::size_t shown = rows_ == 0 ? table.size() : std::min(rows_, table.size());
  if (shown > 0) put_table(table, shown);
  if (shown < table.size()) text_.append("...\n");
  not_shown_ += table.size() - shown;
  text_.push_back('\n');
  constexpr std::size_t kEnough = 1U << 16U;  // bytes kept before the stream gets them
  if (text_.size() >= kEnough) flush();
}

void ConsoleSink::put_table(const batch::ResultTable& table, std::size_t shown) {
  const std::vector<Column> columns = columns_of(table, shown, names_);
  std::vector<std::size_t> widths;
  widths.reserve(columns.size());
  for (const Column& column : columns) widths.push_back(column.widest());
  const auto put_line = [&](const auto& cell_of) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) text_.append("  ");
      append_cell(text_, cell_of(columns[i]), widths[i], columns[i].right);
    }
    end_line(text_);
  };
  put_line([](const Column& column) -> const std::string& { return column.name; });
  for (std::size_t row = 0; row < shown; ++row) {
    put_line([row](const Column& column) -> const std::string& { return column.cells[row]; });
  }
}

void ConsoleSink::flush() {
  write_text(text_, stream_);
}

std::string ConsoleSink::checkpoint(std::vector<FileToSync>& /*to_sync*/) {
  flush();
  return {};
}

}  // namespace weir::sink
