// Where result rows go. Used by the engine's thread only, but for interrupt().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "batch/result_table.hpp"
#include "core/file_system.hpp"
#include "core/file_to_sync.hpp"
#include "spec/pipeline_spec.hpp"

namespace weir::sink {

class Sink {
 public:
  virtual ~Sink() = default;
  /// @brief Takes the rows of one query that one batch produced. May be empty (print shows its header then).
  /// A full disk or a broker that is away makes it wait. A row that it can never deliver is reported, and the next one
  /// goes on. @throws Error when the rows cannot be written; the pipeline
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
  // A start, in this order. Up to open() nothing that lies on a disk is changed, so that a start can still be refused.
  /// @brief Rows of this query after the position do not come again (its state is gone): they are not cut off.
  virtual void keep_rows(std::string_view query) { (void)query; }
  /// @brief Takes a position that checkpoint() returned. @throws Error where what it counts on is not there.
  virtual void resume(const std::string& position) { (void)position; }
  /// @brief Looks for all that speaks against open(); mqtt connects. @throws Error if the sink cannot be used (path
  /// cannot be written, broker refuses), ConfigError if its settings do not fit the queries.
  virtual void prepare(const std::vector<const batch::ResultShape*>& shapes) { (void)shapes; }
  /// @brief Before the first write. What the position knows goes on there, file rows after it are cut off, for they
  /// come again; the rest starts afresh. Does what prepare() does, if that was left out. @throws as prepare()
  virtual void open(const std::vector<const batch::ResultShape*>& shapes) = 0;
  /// @brief Rows so far that were not written because only the first ones of a batch are shown.
  [[nodiscard]] virtual std::uint64_t rows_not_shown() const noexcept { return 0; }
  /// @brief The last flush; files under rotation get their final name.
  virtual void close() {}
  /// @brief The pipeline stops: a write() that waits for a broker returns soon, later ones do not wait. Rows that were
  /// not delivered stay in the sink and are part of the next checkpoint(). What waits for room on a disk fails. Any
  /// thread, idempotent.
  virtual void interrupt() noexcept {}
};

/// @brief Told of each row that a sink can never deliver, on the engine's thread. The sink logs it, once a reason.
/// @param reason its name for the ledger; @param row as it was to be written
using OnRefusedRow = std::function<void(std::string_view reason, std::string_view row)>;

/// @param files what its files are written with; outlives it
std::unique_ptr<Sink> make_sink(const spec::Sink& spec, OnRefusedRow on_refused = {},
                                FileSystem& files = real_file_system());

}  // namespace weir::sink
