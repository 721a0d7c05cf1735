#include "sink/row_format.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "core/decimal.hpp"
#include "core/time_text.hpp"
#include "core/utf8.hpp"

namespace weir::sink {
namespace {

// Bytes that a JSON string cannot hold as they are, or that need a look (not ASCII).
constexpr std::array<bool, 256> kNeedsCare = [] {
  std::array<bool, 256> table{};
  for (std::size_t byte = 0; byte < 256; ++byte)
    table[byte] = byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\';
  return table;
}();

void append_json_text(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && !kNeedsCare[static_cast<unsigned char>(text[plain])]) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte >= 0x80) {
      const Utf8Sequence sequence = front_utf8(text);
      out.append(sequence.valid ? text.substr(0, sequence.length) : kReplacementCharacter);
      text.remove_prefix(sequence.length);
      continue;
    }
    if (byte < 0x20) {
      out.append("\\u00");
      out.push_back(kHex[byte >> 4U]);
      out.push_back(kHex[byte & 0xFU]);
    } else {
      out.push_back('\\');
      out.push_back(text.front());
    }
    text.remove_prefix(1);
  }
}

void append_unsigned(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits;  // 2^64 has 20
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_percent(std::string& out, unsigned char byte) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  out.push_back('%');
  out.push_back(kHex[byte >> 4U]);
  out.push_back(kHex[byte & 0xFU]);
}

// A part of a row's id, other for other bytes: '|' separates parts, '%' escapes, and so are bytes that are no UTF-8,
// which in a JSON string are all one.
void append_id_part(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const Utf8Sequence sequence = front_utf8(text);
    const std::string_view character = text.substr(0, sequence.length);
    text.remove_prefix(sequence.length);
    if (!sequence.valid || character == "|" || character == "%") {
      for (const char c : character) append_percent(out, static_cast<unsigned char>(c));
    } else {
      append_json_text(out, character);
    }
  }
}

bool has_text(const batch::Value& value, const batch::ResultColumn& column) {
  return !value.null && (column.type != batch::ValueType::real || std::isfinite(value.real));
}

void append_number(std::string& out, const batch::Value& value, const batch::ResultColumn& column) {
  switch (column.type) {
    case batch::ValueType::count:
      append_decimal(out, value.units, 0);
      return;
    case batch::ValueType::decimal:
      append_decimal(out, value.units, column.places);
      return;
    case batch::ValueType::real:
      append_double(out, value.real);
      return;
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  append_json_text(out, text);
  out.push_back('"');
}

void append_json_value(std::string& out, const batch::Value& value, const batch::ResultColumn& column) {
  if (has_text(value, column)) {
    append_number(out, value, column);
  } else {
    out.append("null");
  }
}

void append_csv_field(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out.append(text);
    return;
  }
  out.push_back('"');
  for (std::size_t quote = text.find('"'); quote != std::string_view::npos; quote = text.find('"')) {
    out.append(text.substr(0, quote)).append("\"\"");
    text.remove_prefix(quote + 1);
  }
  out.append(text);
  out.push_back('"');
}

RowFormat::RowFormat(const batch::ResultShape& shape, spec::ColumnNames names) : shape_(shape) {
  const auto add_name = [this](std::string_view name) {
    std::string& member = names_.emplace_back(",");
    append_json_string(member, name);
    member.push_back(':');
  };
  for (const std::string& key : shape.group_keys) add_name(key);
  for (const batch::ResultColumn& column : shape.columns) add_name(name_of(column, names));
  json_head_ = R"({"query":)";
  append_json_string(json_head_, shape.query);
  json_head_.append(shape.readings ? R"(,"time":")" : R"(,"window_start":")");
  append_csv_field(csv_query_, shape.query);
}

void RowFormat::render_window(const batch::ResultRow& row) {
  if (window_known_ && row.window_start_ns == window_start_ns_ && row.window_end_ns == window_end_ns_) return;
  window_known_ = true;
  window_start_ns_ = row.window_start_ns;
  window_end_ns_ = row.window_end_ns;
  start_.clear();
  end_.clear();
  append_rfc3339(start_, row.window_start_ns);
  append_rfc3339(end_, row.window_end_ns);
}

void RowFormat::append_members(std::string& out, const batch::ResultTable& table, std::size_t row) {
  const batch::ResultRow& position = table.row(row);
  render_window(position);
  out.append(json_head_).append(start_);
  if (!shape_.readings) out.append(R"(","window_end":")").append(end_);
  out.push_back('"');
  const std::size_t keys = shape_.group_keys.size();
  for (std::size_t key = 0; key < keys; ++key) {
    out.append(names_[key]);
    append_json_string(out, table.group(row, key));
  }
  for (std::size_t column = 0; column < shape_.columns.size(); ++column) {
    out.append(names_[keys + column]);
    append_json_value(out, table.value(row, column), shape_.columns[column]);
  }
  if (position.revision > 0) {
    out.append(R"(,"revision":)");
    append_unsigned(out, position.revision);
  }
}

void RowFormat::append_json(std::string& out, const batch::ResultTable& table, std::size_t row) {
  append_members(out, table, row);
  out.push_back('}');
}

void RowFormat::append_json_with_id(std::string& out, const batch::ResultTable& table, std::size_t row) {
  append_members(out, table, row);
  out.append(R"(,"id":")");
  append_id_part(out, shape_.query);
  for (std::size_t key = 0; key < shape_.group_keys.size(); ++key) {
    out.push_back('|');
    append_id_part(out, table.group(row, key));
  }
  out.push_back('|');
  out.append(end_).push_back('|');
  append_unsigned(out, shape_.readings ? table.row(row).number : table.row(row).revision);
  out.append("\"}");
}

void RowFormat::append_csv(std::string& out, const batch::ResultTable& table, std::size_t row) {
  const batch::ResultRow& position = table.row(row);
  render_window(position);
  out.append(csv_query_).append(",").append(start_);
  if (!shape_.readings) out.append(",").append(end_);
  for (std::size_t key = 0; key < shape_.group_keys.size(); ++key) {
    out.push_back(',');
    append_csv_field(out, table.group(row, key));
  }
  for (std::size_t column = 0; column < shape_.columns.size(); ++column) {
    out.push_back(',');
    const batch::Value& value = table.value(row, column);
    if (has_text(value, shape_.columns[column])) append_number(out, value, shape_.columns[column]);
  }
  if (!shape_.readings) append_unsigned(out.append(","), position.revision);
}

void append_json_row(std::string& out, const batch::ResultTable& table, std::size_t row) {
  RowFormat(table.shape()).append_json(out, table, row);
}

void append_csv_row(std::string& out, const batch::ResultTable& table, std::size_t row) {
  RowFormat(table.shape()).append_csv(out, table, row);
}

void append_csv_header(std::string& out, const batch::ResultShape& shape, spec::ColumnNames names) {
  out.append(shape.readings ? "query,time" : "query,window_start,window_end");
  for (const std::string& key : shape.group_keys) append_csv_field(out.append(","), key);
  for (const batch::ResultColumn& column : shape.columns) append_csv_field(out.append(","), name_of(column, names));
  if (!shape.readings) out.append(",revision");
}

}  // namespace weir::sink
