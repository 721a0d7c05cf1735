// What speaks against the header of a CSV file, in words: columns that are missing, another separator, a header that
// does not name the first cell of the rows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "batch/message.hpp"
#include "spec/stream_spec.hpp"

namespace weir::decode {

struct CsvMistake {
  std::string text;  ///< empty: nothing speaks against the header
  std::string hint;  ///< what to do; may be empty
  [[nodiscard]] explicit operator bool() const noexcept { return !text.empty(); }
};

/// @brief The columns that the configuration names and the header lacks, with the nearest names that it has.
/// @param header the header line, for a look with other separators; empty: the names are those of `columns`
CsvMistake missing_columns(const std::vector<std::string>& missing, std::span<const std::string_view> names,
                           std::string_view header, const spec::Format& format);

/// @brief `columns` for a file whose rows begin with a name or number that the header has no name for.
std::string columns_with_row_name(std::span<const std::string_view> names);

/// Both at most once for a file.
struct CsvOutlook {
  CsvMistake missing;    ///< no row can be read
  CsvMistake row_names;  ///< every row of the beginning has one cell more than the header
};
/// @brief What reading a file that begins like this would come to. Nothing is logged, nothing kept.
/// @param beginning its first message, which may hold the whole file
CsvOutlook look_at_csv(const spec::Stream& stream, const spec::Source& source, const batch::MessageView& beginning);

}  // namespace weir::decode
