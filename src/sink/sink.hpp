// Where result rows go. Used by the engine's thread only, but for interrupt().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "batch/result_table.hpp"
#include "core/file_to_sync.hpp"
#include "spec/pipeline_spec.hpp"

namespace weir::sink {

class Sink {
 public:
  virtual ~Sink() = default;
  /// @brief Takes the rows of one query that one batch produced. May be empty (print shows its header then).
  /// A full disk or a broker that is away makes it wait. @throws Error when the rows cannot be written; the pipeline
  /// stops then, with its state intact.
  virtual void write(const batch::ResultTable& table) = 0;
  /// @brief Rows written so far reach the operating system (file) or the client (mqtt). Called once a batch.
  virtual void flush() {}
  /// @brief flush(); returns the position to put into the checkpoint. It is of use only once the files that are
  /// appended to `to_sync` are on the disk: whoever writes the checkpoint syncs them first.
  virtual std::string checkpoint(std::vector<FileToSync>& to_sync) {
    (void)to_sync;
    return {};
  }
  /// @brief Goes on at a position that checkpoint() returned: file rows after it are cut off. Before the first write.
  virtual void resume(const std::string& position) { (void)position; }
  /// @brief Before the first write; after resume(), if there is a checkpoint: what the checkpoint knows goes on, the
  /// rest starts afresh. @throws Error if the sink cannot be used (path cannot be written, broker refuses).
  virtual void open(const std::vector<const batch::ResultShape*>& shapes) = 0;
  /// @brief The last flush; files under rotation get their final name.
  virtual void close() {}
  /// @brief The pipeline stops: a write() that waits for a broker returns soon, later ones do not wait. Rows that were
  /// not delivered stay in the sink and are part of the next checkpoint(). What waits for room on a disk fails. Any
  /// thread, idempotent.
  virtual void interrupt() noexcept {}
};

std::unique_ptr<Sink> make_sink(const spec::Sink& spec);

}  // namespace weir::sink
