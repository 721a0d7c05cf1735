// The benchmarks of a sanitizer build: none. A time taken with a sanitizer says nothing.
#include "app/bench.hpp"
#include "core/error.hpp"

namespace weir::app {
namespace {

int refuse() {
  throw Error("this build has a sanitizer and no benchmarks; measure with the release build (cmake --preset release)");
}

}  // namespace

int bench_engine(const BenchOptions& /*options*/) {
  return refuse();
}
int bench_sliding(const BenchOptions& /*options*/) {
  return refuse();
}
int bench_csv(const BenchOptions& /*options*/) {
  return refuse();
}
int bench_json(const BenchOptions& /*options*/) {
  return refuse();
}
int bench_mqtt(const BenchOptions& /*options*/) {
  return refuse();
}
int bench_journal(const BenchOptions& /*options*/) {
  return refuse();
}
int bench_checkpoint(const BenchOptions& /*options*/) {
  return refuse();
}
int bench_recovery(const BenchOptions& /*options*/) {
  return refuse();
}
int bench_durability(const BenchOptions& /*options*/) {
  return refuse();
}
int bench_gpu(const BenchOptions& /*options*/) {
  return refuse();
}
int bench_memory(const BenchOptions& /*options*/) {
  return refuse();
}

}  // namespace weir::app
