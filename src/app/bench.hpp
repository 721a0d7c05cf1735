// The benchmark harness behind `weir bench`: each benchmark checks its answer before it prints a time, and runs beside
// a reference in the same process, alternately, so that a ratio means something on a noisy machine.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::app {

struct BenchOptions {
  bool json = false;                    ///< one JSON object a measurement
  std::vector<unsigned> threads{1, 2};  ///< thread counts to measure
  double seconds = 1.0;                 ///< about how long one case is measured
  std::string case_filter;              ///< only cases whose name contains it; empty: all
  std::string device = "cpu";           ///< of csv and json: as in [pipeline]
  bool small = false;                   ///< of memory: a short form of each case, for tests
  std::string only;                     ///< of memory: measure this one case in this process
  std::string timeline;                 ///< of gpu: where to write what overlapped with what; empty: nowhere
};

/// One measured case.
struct Measurement {
  std::string benchmark;  ///< "engine", "csv"
  std::string name;       ///< "10000 keys x 1 Hz"
  unsigned threads = 1;
  double readings_per_s = 0.0;   ///< median
  double bytes_per_s = 0.0;      ///< of payload; 0: not meaningful
  std::string reference;         ///< what it ran beside; empty: nothing
  double reference_per_s = 0.0;  ///< readings per second of the reference, median
  double ratio = 0.0;            ///< median of the ratios run by run
  double p50_s = 0.0;            ///< seconds of a batch; 0: not measured
  double p99_s = 0.0;
};

/// @brief Prints a measurement as a line of text or of JSON.
void print(const BenchOptions& options, const Measurement& measurement);

/// @brief The middle value (the lower one of two).
double median(std::vector<double> values);

/// @brief The smallest value that a share `q` of the values does not exceed.
double quantile(std::vector<double> values, double q);

struct Benchmark {
  std::string_view name;
  int (*run)(const BenchOptions&);
};
/// @brief All that this build has: none in one with a sanitizer, for a time taken there says nothing.
std::span<const Benchmark> benchmarks() noexcept;

// Each returns an exit code; 1 when an answer was wrong.
int bench_engine(const BenchOptions& options);      ///< interval step and windows against a hand-coded loop
int bench_sliding(const BenchOptions& options);     ///< cost a reading against window / slide
int bench_csv(const BenchOptions& options);         ///< CSV file to window rows
int bench_json(const BenchOptions& options);        ///< JSON-lines file to window rows
int bench_mqtt(const BenchOptions& options);        ///< MQTT ingestion against an empty callback
int bench_journal(const BenchOptions& options);     ///< durable appends and reads against write() and read()
int bench_checkpoint(const BenchOptions& options);  ///< engine with checkpoints against one without; time to load
int bench_recovery(const BenchOptions& options);    ///< from the start to having caught up with the journal
int bench_durability(const BenchOptions& options);  ///< checkpoint, journal and recovery
int bench_gpu(const BenchOptions& options);         ///< step, windows and latency on a CUDA device, link and CPU
int bench_memory(const BenchOptions& options);      ///< measured peak against what `weir check` calls the worst case

}  // namespace weir::app
