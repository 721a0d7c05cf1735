#include <weir/rows.hpp>

#include "batch/result_table.hpp"
#include "core/decimal.hpp"
#include "core/exact.hpp"
#include "sink/row_format.hpp"

namespace weir {

std::string_view Rows::query() const {
  return table_->shape().query;
}
std::size_t Rows::size() const {
  return table_->size();
}
std::size_t Rows::keys() const {
  return table_->shape().group_keys.size();
}
std::size_t Rows::columns() const {
  return table_->shape().columns.size();
}
std::string_view Rows::key_name(std::size_t key) const {
  return table_->shape().group_keys[key];
}
std::string_view Rows::column_name(std::size_t column) const {
  return table_->shape().columns[column].name;
}
std::int64_t Rows::window_start_ns(std::size_t row) const {
  return table_->row(row).window_start_ns;
}
std::int64_t Rows::window_end_ns(std::size_t row) const {
  return table_->row(row).window_end_ns;
}
std::uint32_t Rows::revision(std::size_t row) const {
  return table_->row(row).revision;
}
std::string_view Rows::key(std::size_t row, std::size_t key) const {
  return table_->group(row, key);
}

std::optional<double> Rows::value(std::size_t row, std::size_t column) const {
  const batch::Value& value = table_->value(row, column);
  if (value.null) {
    return std::nullopt;
  }
  const batch::ResultColumn& shape = table_->shape().columns[column];
  return shape.type == batch::ValueType::real ? value.real : exact_decimal_to_double(value.units, shape.places);
}

std::string Rows::text(std::size_t row, std::size_t column) const {
  const batch::Value& value = table_->value(row, column);
  std::string text;
  if (value.null) {
    text = "null";
  } else if (const batch::ResultColumn& shape = table_->shape().columns[column]; shape.type == batch::ValueType::real) {
    append_double(text, value.real);
  } else {
    append_decimal(text, value.units, shape.places);
  }
  return text;
}

std::string Rows::json(std::size_t row) const {
  std::string text;
  sink::append_json_row(text, *table_, row);
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text;
}

}  // namespace weir
