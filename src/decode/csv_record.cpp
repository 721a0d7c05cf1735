#include "decode/csv_record.hpp"

#include <algorithm>
#include <cstring>

namespace weir::decode {
namespace {

std::size_t line_end(std::string_view text, std::size_t at) noexcept {
  return std::min(text.find('\n', at), text.size());
}

}  // namespace

CsvRecordReader::Status CsvRecordReader::read(std::string_view text, std::size_t at, bool complete, std::size_t& end) {
  cells_.clear();
  unquoted_size_ = 0;
  const std::size_t record = at;
  const std::size_t first_end = line_end(text, at);
  const std::size_t after_first = std::min(first_end + 1, text.size());
  if (dialect_.comment != '\0' && text[at] == dialect_.comment) {
    end = after_first;
    return Status::nothing;
  }
  Cell cell = Cell::next;
  while (cell == Cell::next) {
    cell = read_cell(text, at, record);
  }
  if (cell == Cell::open && !complete && text.size() - record < kMaxQuotedRecord) {
    return Status::incomplete;
  }
  if (cell == Cell::open || cell == Cell::broken) {
    end = after_first;
    return Status::broken;
  }
  end = at;
  return cells_.empty() || (cells_.size() == 1 && cells_[0].empty()) ? Status::nothing : Status::record;
}

CsvRecordReader::Cell CsvRecordReader::read_cell(std::string_view text, std::size_t& at, std::size_t record) {
  while (at < text.size() && dialect_.is_blank(text[at])) {
    ++at;
  }
  if (at < text.size() && text[at] == '"') {
    return read_quoted(text, at, record);
  }
  const std::size_t begin = at;
  while (at < text.size() && text[at] != '\n' &&
         (dialect_.blanks ? !dialect_.is_blank(text[at]) : text[at] != dialect_.separator)) {
    ++at;
  }
  const bool ends_line = at == text.size() || text[at] == '\n';
  std::size_t end = at;
  if (ends_line && end > begin && text[end - 1] == '\r') {
    --end;
  }
  // Between blanks there are no empty cells: this is the end of the line.
  if (!dialect_.blanks || end > begin) {
    add(trim_cell(text.data() + begin, text.data() + end, dialect_));
  }
  return after_cell(text, at);
}

CsvRecordReader::Cell CsvRecordReader::read_quoted(std::string_view text, std::size_t& at, std::size_t record) {
  const std::size_t limit = std::min(text.size(), record + kMaxQuotedRecord);
  const std::size_t begin = at + 1;
  bool doubled = false;
  std::size_t close = begin;
  while (true) {
    close = text.substr(0, limit).find('"', close);
    if (close == std::string_view::npos) {
      return Cell::open;
    }
    if (close + 1 >= limit || text[close + 1] != '"') {
      break;
    }
    doubled = true;
    close += 2;
  }
  std::string_view cell = text.substr(begin, close - begin);
  if (doubled) {
    if (!unquoted_) {
      // Vector loads may reach past a cell.
      constexpr std::size_t kSlack = 64;
      unquoted_ = std::make_unique<char[]>(kMaxQuotedRecord + kSlack);
    }
    char* const to = unquoted_.get() + unquoted_size_;
    std::size_t size = 0;
    for (std::size_t i = 0; i < cell.size(); ++i) {
      to[size++] = cell[i];
      i += cell[i] == '"' ? 1U : 0U;
    }
    unquoted_size_ += size;
    cell = {to, size};
  }
  add(cell);
  at = close + 1;
  const std::size_t after_quote = at;
  while (at < text.size() && (dialect_.is_blank(text[at]) || text[at] == '\r')) {
    ++at;
  }
  if (at == text.size() || text[at] == '\n') {
    return after_cell(text, at);
  }
  if (dialect_.blanks) {
    return at > after_quote ? Cell::next : Cell::broken;
  }
  return text[at] == dialect_.separator ? after_cell(text, at) : Cell::broken;
}

CsvRecordReader::Cell CsvRecordReader::after_cell(std::string_view text, std::size_t& at) const noexcept {
  if (at == text.size()) {
    return Cell::last;
  }
  const bool ends_line = text[at] == '\n';
  ++at;
  return ends_line ? Cell::last : Cell::next;
}

}  // namespace weir::decode
