#include "app/csv_headers.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include "decode/csv_header.hpp"
#include "source/source.hpp"

namespace weir::app {
namespace {

decode::CsvOutlook look(const spec::Stream& stream, const spec::Source& source) {
  try {
    batch::MessageView beginning;
    const auto reader = source::make_block_reader(source, 0, {});
    if (reader->next(beginning)) {
      return decode::look_at_csv(stream, source, beginning);
    }
  } catch (const Error&) {
    // Reading it will fail in the same way, and say so.
  }
  return {};
}

}  // namespace

std::vector<Diagnostic> mistakes_in_headers(const plan::Plan& plan, HeaderChecks checks,
                                            const std::map<std::string, std::string>& journals) {
  std::vector<Diagnostic> mistakes;
  for (const spec::Stream& stream : plan.spec.streams) {
    if (journals.contains(stream.name)) {
      continue;
    }
    for (const spec::Source& source : stream.sources) {
      std::error_code ignored;
      // What a pipe gives once is not taken from it.
      if (source.kind != spec::SourceKind::file || source.format.kind != spec::FormatKind::csv || source.path == "-" ||
          !std::filesystem::is_regular_file(source.path, ignored)) {
        continue;
      }
      decode::CsvOutlook outlook = look(stream, source);
      const int line = source.line != 0 ? source.line : stream.line;
      for (decode::CsvMistake* const mistake : {&outlook.missing, &outlook.row_names}) {
        if (*mistake && (mistake == &outlook.missing || checks == HeaderChecks::all)) {
          mistakes.push_back({plan.spec.file, line, std::move(mistake->text), std::move(mistake->hint)});
        }
      }
    }
  }
  return mistakes;
}

void require_headers(const plan::Plan& plan, HeaderChecks checks, const std::map<std::string, std::string>& journals) {
  if (std::vector<Diagnostic> mistakes = mistakes_in_headers(plan, checks, journals); !mistakes.empty()) {
    throw ConfigError(std::move(mistakes));
  }
}

}  // namespace weir::app
