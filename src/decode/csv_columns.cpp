#include "decode/csv_columns.hpp"

#include <algorithm>

namespace weir::decode {

CsvColumns::CsvColumns(const spec::Stream& stream, const ReadingWriter& writer) {
  if (!stream.time.arrival) {
    wanted_.push_back({stream.time.field, ReadingWriter::kTimeSlot, false, false});
    for (std::size_t part = 0; part < stream.time.more_fields.size(); ++part) {
      wanted_.push_back({stream.time.more_fields[part], writer.time_slot(part), false, false});
    }
  }
  for (std::size_t i = 0; i < stream.schema.keys.size(); ++i) {
    const spec::Key& key = stream.schema.keys[i];
    wanted_.push_back(
        {key.path.empty() ? key.name : key.path, writer.key_slot(i), true, writer.captured_by_a_filter(i)});
  }
  for (std::size_t i = 0; i < stream.schema.fields.size(); ++i) {
    const spec::Field& field = stream.schema.fields[i];
    wanted_.push_back({field.path.empty() ? field.name : field.path, writer.field_slot(i), false, false});
  }
}

std::vector<std::string> CsvColumns::resolve(std::span<const std::string_view> names) {
  std::vector<std::string> missing;
  std::vector<std::size_t> key_columns;
  uses_.clear();
  key_columns_.clear();
  needed_ = 0;
  named_ = names.size();
  for (const Wanted& wanted : wanted_) {
    const auto found = std::find(names.begin(), names.end(), wanted.name);
    if (found == names.end()) {
      if (!wanted.optional) {
        missing.emplace_back(wanted.name);
      }
      continue;
    }
    const auto column = static_cast<std::size_t>(found - names.begin());
    uses_.push_back({column, wanted.slot});
    needed_ = std::max(needed_, column + 1);
    if (wanted.key) {
      key_columns.push_back(column);
    }
  }
  key_columns_ = key_columns;
  std::sort(key_columns.begin(), key_columns.end());
  key_columns.erase(std::unique(key_columns.begin(), key_columns.end()), key_columns.end());
  keys_adjoin_ = !key_columns.empty() && key_columns.back() - key_columns.front() + 1 == key_columns.size();
  if (keys_adjoin_) {
    first_key_ = key_columns.front();
    last_key_ = key_columns.back();
  }
  return missing;
}

}  // namespace weir::decode
