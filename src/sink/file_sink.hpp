// Result rows in files: JSON lines or CSV, one file a query or one for several, exactly once across restarts.
//
// A fresh start empties the files (the same input makes the same rows again); after resume(), open() goes on where the
// checkpoint was. A full disk makes it wait. Engine's thread only, but interrupt(). docs/file-formats.md describes the
// files and their rotation.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sink/full_disk.hpp"
#include "sink/name_template.hpp"
#include "sink/output_file.hpp"
#include "sink/position_text.hpp"
#include "sink/row_format.hpp"
#include "sink/sink.hpp"

namespace weir::sink {

class FileSink final : public Sink {
 public:
  /// `files` outlives the sink. @throws ConfigError for a path with an unknown placeholder.
  explicit FileSink(const spec::Sink& spec, FileSystem& files = real_file_system());

  void keep_rows(std::string_view query) override { kept_.emplace(query); }
  /// Files of an earlier path setting are left as they are, and those of queries whose rows are kept. @throws Error
  /// also where a file has rows after the position of some that are kept and some that come again
  void resume(const std::string& position) override;
  /// @throws ConfigError when queries with different columns would share one CSV file; Error when a file cannot be
  /// created.
  void prepare(const std::vector<const batch::ResultShape*>& shapes) override;
  void open(const std::vector<const batch::ResultShape*>& shapes) override;
  void write(const batch::ResultTable& table) override;
  void flush() override;
  std::string checkpoint(std::vector<FileToSync>& to_sync) override;
  void close() override;
  void interrupt() noexcept override { disk_.interrupt(); }

 private:
  /// A file as the position has it.
  struct Saved {
    FilePosition position;
    std::vector<std::string> queries;  // whose rows it holds; empty: not known (format 1)
  };
  struct Query {
    const batch::ResultShape* shape;
    RowFormat format;
    OutputFile* file;
  };

  Query& attach(const batch::ResultShape& shape);
  static Saved read_saved(PositionReader& in, bool with_queries);
  [[nodiscard]] std::string header_of(const batch::ResultShape& shape) const;
  [[nodiscard]] OutputFile::Beginning beginning_of(const std::string& path) const;
  [[nodiscard]] OutputFile::System system() noexcept { return {file_system_, disk_, mode_}; }
  [[nodiscard]] std::string path_of(std::string_view query) const;

  std::string path_text_;
  NameTemplate path_;
  spec::RowFormat format_;
  spec::ColumnNames names_;
  RotationRule rotation_;
  OutputFile::Beginning beginning_;
  ::mode_t mode_;
  FileSystem& file_system_;
  FullDisk disk_;
  std::set<std::string, std::less<>> kept_;        // queries
  std::set<std::string, std::less<>> kept_files_;  // their files
  std::vector<FilePosition> resumed_;              // until open()
  std::vector<std::unique_ptr<OutputFile>> files_;
  std::vector<std::unique_ptr<Query>> queries_;
};

}  // namespace weir::sink
