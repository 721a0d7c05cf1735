// What decoders take, in the worst case of each format.
#include <algorithm>

#include "decode/csv_columns.hpp"
#include "decode/csv_record.hpp"
#include "decode/decoder.hpp"
#include "decode/formats.hpp"
#include "decode/json_lines.hpp"
#include "decode/key_cache.hpp"
#include "decode/line_point.hpp"
#include "decode/senml_pack.hpp"

namespace weir::decode {
namespace {

// A message of lines is a block of them (256 KiB), or one longer line.
constexpr std::uint64_t kShort = std::uint64_t{256} << 10U;
// simdjson, for each byte that it is given: an index of 4 bytes, and the unescaped strings.
constexpr std::uint64_t kParser = 6;
// Decoders keep text up to here (json_decoder.cpp, csv_decoder.cpp).
constexpr std::uint64_t kKeptText = std::uint64_t{1} << 20U;

/// Whether a path leads through a member, which may be a string that holds JSON.
bool looks_inside(const spec::Stream& stream, const spec::Source& source) {
  const auto leads_on = [](const std::string& path) { return path.find('/', 1) != std::string::npos; };
  return !source.format.array_path.empty() || (!stream.time.arrival && leads_on(stream.time.field)) ||
         std::any_of(stream.schema.keys.begin(), stream.schema.keys.end(),
                     [&](const spec::Key& key) { return leads_on(key.path); }) ||
         std::any_of(stream.schema.fields.begin(), stream.schema.fields.end(),
                     [&](const spec::Field& field) { return leads_on(field.path); });
}

DecoderNeed json(const spec::Stream& stream, const spec::Source& source, std::uint64_t longest) {
  // The whole text, with a path to the readings; its elements; and once more where one of them is broken.
  const std::uint64_t element = std::min<std::uint64_t>(longest, kLongestReading);
  const std::uint64_t document = source.format.array_path.empty() ? element : longest;
  const std::uint64_t held = line_oriented(source) ? JsonLines::worst_case_bytes(document) : 0;
  // A document in a string is shorter than the string, by half and more where there is another inside.
  const std::uint64_t inside = looks_inside(stream, source) ? 2 * (kParser + 1) * (document + element) : 0;
  return {kKeptText + 3 * kParser * kShort + held, longest + kParser * (document + 2 * element) + element + inside};
}

DecoderNeed csv(const spec::Source& source, std::uint64_t longest) {
  // A cell takes a byte of a line at least. Of a header line each column is kept, with 2 bytes or its name.
  const bool header = source.format.columns.empty();
  const std::uint64_t columns = std::min<std::uint64_t>(kMostColumns, longest);
  const std::uint64_t wanted = std::min<std::uint64_t>(kWidestAhead, header ? columns : source.format.columns.size());
  const std::uint64_t kept = std::min<std::uint64_t>(longest, kKeptText) + kMaxQuotedRecord +
                             kRowsAhead * wanted * sizeof(std::string_view) + (header ? 3 * columns : 0);
  // A line without its end is copied to get one.
  return {kept, 2 * longest + 3 * columns / 2 * sizeof(std::string_view)};
}

DecoderNeed senml(const spec::Stream& stream, const spec::Source& source, std::uint64_t longest) {
  // Each record may be a moment and a reading of its own; a moment's node takes about 100 bytes.
  const std::uint64_t slots = stream.schema.keys.size() + 1 + 2 * stream.schema.fields.size();
  const std::uint64_t sorted = 3 * SenmlPack::kMostRecords / 2 * (150 + slots * sizeof(std::size_t));
  const std::uint64_t held = line_oriented(source) ? JsonLines::worst_case_bytes(longest) : 0;
  return {(kParser + 1) * kShort + held, (kParser + 1) * longest + SenmlPack::worst_case_bytes() + sorted};
}

DecoderNeed of_format(const spec::Stream& stream, const spec::Source& source, std::uint64_t longest) {
  switch (source.format.kind) {
    case spec::FormatKind::json:
      return json(stream, source, longest);
    case spec::FormatKind::csv:
      return csv(source, longest);
    case spec::FormatKind::senml:
      return senml(stream, source, longest);
    case spec::FormatKind::raw:
      return {};
    case spec::FormatKind::line:
      // A text without its line break is copied to get one. What escapes stand in is written once more.
      return {std::min<std::uint64_t>(longest, kKeptText) + kLongestLines, 3 * longest};
  }
  return {};
}

}  // namespace

DecoderNeed decoder_need(const spec::Stream& stream, const spec::Source& source, std::uint64_t max_message) {
  DecoderNeed need = of_format(stream, source, std::max(max_message, kShort));
  if (!stream.schema.keys.empty()) {
    need.kept_bytes += KeyCache::worst_case_bytes(stream.max_keys);
  }
  return need;
}

}  // namespace weir::decode
