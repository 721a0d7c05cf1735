// A build without CUDA has no device to measure.
#include "core/error.hpp"
#include "execute/device_bench.hpp"

namespace weir::execute {
namespace {

[[noreturn]] void refuse(const Backend& backend) {
  throw Error(backend.name() + " is no device: this build has no CUDA");
}

}  // namespace

double measure_link(Backend& backend, double /*seconds*/) {
  refuse(backend);
}

double measure_resident(Backend& backend, const BenchWork& /*work*/, double /*seconds*/) {
  refuse(backend);
}

std::vector<double> measure_close(Backend& backend, const BenchWork& /*work*/, double /*seconds*/) {
  refuse(backend);
}

std::vector<TimelineSpan> trace_timeline(Backend& backend, const BenchWork& /*work*/, std::uint32_t /*rounds*/) {
  refuse(backend);
}

}  // namespace weir::execute
