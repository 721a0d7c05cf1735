// A running pipeline: sources, queues, decoding threads and the engine of one plan. What `weir run`, `weir replay` and
// the C++ API start.
//
// Threads: one a source (or the client library's), one decoding thread a stream, one engine thread (plus the
// backend's).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/file_system.hpp"
#include "execute/backend.hpp"
#include "plan/plan.hpp"
#include "runtime/engine.hpp"

namespace weir::runtime {

struct ReplayOptions {
  double speed = 0.0;  ///< event seconds per second; 0: as fast as possible
  std::int64_t from_ns = std::numeric_limits<std::int64_t>::min();
  std::int64_t to_ns = std::numeric_limits<std::int64_t>::max();  ///< exclusive
  bool loop = false;
  /// Recorded journals by the name of the stream that is read from one, instead of its files.
  std::map<std::string, std::string> journals;
  /// Called now and then from a decoding thread: bytes read and bytes in all (0: unknown).
  std::function<void(std::uint64_t read, std::uint64_t total)> progress;
};

struct Options {
  bool replay = false;
  ReplayOptions replay_options;
  std::vector<std::string> discard_state;
  /// The backend to use instead of the plan's device, e.g. a naive one in tests.
  std::shared_ptr<execute::Backend> backend;
  /// Called on the engine's thread with the error that ends the run, before wait() throws it.
  std::function<void(const std::string& what)> on_failure;
  /// What state, journals and output files are read and written with; outlives the pipeline. A faulty one in tests.
  FileSystem* files = &real_file_system();
};

class Pipeline {
 public:
  Pipeline(plan::Plan plan, Options options);
  ~Pipeline();  ///< stops without draining if still running
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// @brief Restores the newest checkpoint if there is a state_dir, opens sinks, starts sources.
  /// @throws Error, ConfigError; nothing runs then, and state, journal and outputs are as they were.
  void start();
  /// @brief Graceful stop: sources stop, what was received is finished, a checkpoint is written. Any thread; returns at
  /// once; a second call does not hurry it.
  void request_stop() noexcept;
  /// @brief Waits until the input has ended or a requested stop is done. @throws the error that ended the run, if any.
  void wait();
  /// @brief Like wait, with a limit. True when over.
  bool wait_for(std::chrono::nanoseconds limit);

  /// @brief Why sources gave up on the way, though the run went on without them. Complete once it is over.
  [[nodiscard]] std::vector<std::string> failed_sources() const;
  [[nodiscard]] Report report() const;
  /// @brief True if a checkpoint was taken over at start().
  [[nodiscard]] bool restored() const noexcept;
  [[nodiscard]] const plan::Plan& plan() const noexcept;
  [[nodiscard]] const execute::Backend& backend() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::runtime
