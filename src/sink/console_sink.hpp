// Rows as an aligned table for people: what print() shows.
//
// Once a batch and query: a header block with the end of the batch interval, then the first rows. Names and keys come
// from sensors, so control characters are escaped before they reach a terminal.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "sink/sink.hpp"

namespace weir::sink {

class ConsoleSink final : public Sink {
 public:
  /// @param rows how many rows of a table are shown before "..."; 0: all
  /// @param stream borrowed; standard output unless a test wants to look
  explicit ConsoleSink(std::size_t rows, spec::ColumnNames names = spec::ColumnNames::verbatim,
                       std::FILE* stream = stdout)
      : rows_(rows), names_(names), stream_(stream) {}

  void open(const std::vector<const batch::ResultShape*>& shapes) override { (void)shapes; }
  void write(const batch::ResultTable& table) override;
  void flush() override;
  std::string checkpoint(std::vector<FileToSync>& to_sync) override;
  [[nodiscard]] std::uint64_t rows_not_shown() const noexcept override { return not_shown_; }
  void close() override { flush(); }

 private:
  void put_table(const batch::ResultTable& table, std::size_t shown);

  std::size_t rows_;
  spec::ColumnNames names_;
  std::FILE* stream_;
  std::uint64_t not_shown_ = 0;
  std::string text_;
};

}  // namespace weir::sink
