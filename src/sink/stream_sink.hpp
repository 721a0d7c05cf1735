// Result rows on standard output, for a pipe: JSON lines, or CSV with its header at each start.
//
// A stream has no position: what was written after the newest checkpoint comes again after a crash. Engine's thread
// only.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "sink/row_format.hpp"
#include "sink/sink.hpp"
#include "sink/standard_output.hpp"

namespace weir::sink {

class StreamSink final : public Sink {
 public:
  /// @param stream borrowed; standard output unless a test wants to look
  explicit StreamSink(const spec::Sink& spec, std::FILE* stream = stdout)
      : csv_(spec.format == spec::RowFormat::csv), names_(spec.names), stream_(stream) {}

  /// @throws ConfigError for CSV of several queries
  void prepare(const std::vector<const batch::ResultShape*>& shapes) override;
  void open(const std::vector<const batch::ResultShape*>& shapes) override;
  void write(const batch::ResultTable& table) override;
  void flush() override { write_text(text_, stream_); }
  std::string checkpoint(std::vector<FileToSync>& to_sync) override;
  void close() override { flush(); }

 private:
  struct Query {
    const batch::ResultShape* shape;
    RowFormat format;
  };
  Query& attach(const batch::ResultShape& shape);

  bool csv_;
  spec::ColumnNames names_;
  std::FILE* stream_;
  std::string text_;
  std::vector<std::unique_ptr<Query>> queries_;
};

}  // namespace weir::sink
