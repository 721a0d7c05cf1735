// The main entry: creates input streams, starts and stops the engine.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <weir/dstream.hpp>
#include <weir/receiver.hpp>
#include <weir/schema.hpp>

namespace weir {

struct ContextOptions {
  std::chrono::nanoseconds batch_interval{std::chrono::seconds(1)};
  std::string state_dir = {};  ///< empty: nothing survives a restart
  std::chrono::nanoseconds checkpoint_interval{std::chrono::seconds(10)};
  std::string device = "auto";  ///< auto, cpu, cuda, cuda:N
  unsigned threads = 0;         ///< 0: all cores
  /// SIGINT, SIGTERM and SIGHUP stop gracefully, as long as the context lives; construct it before any thread then.
  bool stop_on_signals = false;
};

/// Not copyable; movable until started. One thread builds and starts it; stop(), summary() and ledger_balances() may be
/// called from any.
class StreamingContext {
 public:
  explicit StreamingContext(const ContextOptions& options = {});
  StreamingContext(StreamingContext&&) noexcept;
  StreamingContext& operator=(StreamingContext&&) noexcept;
  ~StreamingContext();  ///< stops, gracefully; an error that ended the run has been logged by then

  /// @brief Builds the context with `create` and lets it keep its state in `state_dir`; start() goes on from a
  /// checkpoint there, if any. Unlike Spark's, the factory is always called: the functions of a C++ program cannot be
  /// read back from a file. State of a graph that changed is refused by start().
  static StreamingContext get_or_create(const std::string& state_dir, const std::function<StreamingContext()>& create);

  // Input streams. `name` (default: input1, input2, …) identifies the stream's state.
  DStream mqtt_stream(const std::string& broker, const std::string& topic, const Schema& schema,
                      const std::string& name = {});
  /// @brief Connects to host:port and reads lines, as Spark's socketTextStream.
  DStream socket_text_stream(const std::string& host, int port, const Schema& schema, const std::string& name = {});
  /// @brief Reads each file that appears in the directory, as Spark's textFileStream.
  DStream text_file_stream(const std::string& directory, const Schema& schema, const std::string& name = {});
  /// @brief One file, read from its beginning to its end; the stream ends there.
  DStream file_stream(const std::string& path, const Schema& schema, const std::string& name = {});
  DStream receiver_stream(std::shared_ptr<Receiver> receiver, const Schema& schema, const std::string& name = {});

  /// @brief Compiles the graph and starts. @throws ConfigError with every mistake, Error,
  /// std::logic_error when started twice or after stop().
  void start();
  /// @brief Waits until the input ends, stop() is called, or the run fails. @throws std::runtime_error if it failed, or
  /// when it is over but a source gave up on the way (Emitter::fail); std::logic_error in for_each_batch's function.
  void await_termination();
  /// @brief Like await_termination with a limit; true when it is over.
  bool await_termination_or_timeout(std::chrono::nanoseconds limit);
  /// @brief Finishes what was received, writes a checkpoint, and waits for it. A stopped context cannot start again. In
  /// for_each_batch's function it asks for the stop and does not wait. @throws as await_termination()
  void stop();

  /// @brief "12 readings in; the ledger balances": the ledgers of all streams and results, as text.
  [[nodiscard]] std::string summary() const;
  /// @brief True when every reading is accounted for (now, between batches).
  [[nodiscard]] bool ledger_balances() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace weir
