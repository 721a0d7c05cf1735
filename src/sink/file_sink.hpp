// Result rows in files: JSON lines or CSV, one file a query or one for several, exactly once across restarts.
//
// A fresh start empties the files (the same input makes the same rows again); resume() goes on where the checkpoint
// was. A full disk makes it wait. Engine's thread only, but interrupt(). docs/file-formats.md describes the files and
// their rotation.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sink/full_disk.hpp"
#include "sink/name_template.hpp"
#include "sink/output_file.hpp"
#include "sink/row_format.hpp"
#include "sink/sink.hpp"

namespace weir::sink {

class FileSink final : public Sink {
 public:
  /// `files` outlives the sink. @throws ConfigError for a path with an unknown placeholder.
  explicit FileSink(const spec::Sink& spec, FileSystem& files = real_file_system());

  /// @throws ConfigError when queries with different columns would share one CSV file; Error when a file cannot be
  /// created.
  void open(const std::vector<const batch::ResultShape*>& shapes) override;
  void write(const batch::ResultTable& table) override;
  void flush() override;
  std::string checkpoint(std::vector<FileToSync>& to_sync) override;
  /// Files of an earlier path setting are left as they are.
  void resume(const std::string& position) override;
  void close() override;
  void interrupt() noexcept override { disk_.interrupt(); }

 private:
  struct Query {
    const batch::ResultShape* shape;
    RowFormat format;
    OutputFile* file;
  };

  Query& attach(const batch::ResultShape& shape);
  [[nodiscard]] std::string path_of(std::string_view query) const;

  std::string path_text_;
  NameTemplate path_;
  spec::RowFormat format_;
  RotationRule rotation_;
  OutputFile::Beginning beginning_;
  FileSystem& file_system_;
  FullDisk disk_;
  std::vector<std::unique_ptr<OutputFile>> files_;
  std::vector<std::unique_ptr<Query>> queries_;
};

}  // namespace weir::sink
