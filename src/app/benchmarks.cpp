#include <array>

#include "app/bench.hpp"

namespace weir::app {
namespace {

constexpr std::array<Benchmark, 11> kBenchmarks{{{"engine", bench_engine},
                                                 {"sliding", bench_sliding},
                                                 {"csv", bench_csv},
                                                 {"json", bench_json},
                                                 {"mqtt", bench_mqtt},
                                                 {"journal", bench_journal},
                                                 {"checkpoint", bench_checkpoint},
                                                 {"recovery", bench_recovery},
                                                 {"durability", bench_durability},
                                                 {"gpu", bench_gpu},
                                                 {"memory", bench_memory}}};

}  // namespace

std::span<const Benchmark> benchmarks() noexcept {
  return kBenchmarks;
}

}  // namespace weir::app
