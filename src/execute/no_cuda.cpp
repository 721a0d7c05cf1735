// A build without CUDA has no CUDA devices.
#include "core/error.hpp"
#include "execute/cuda_choice.hpp"
#include "execute/device_bench.hpp"

namespace weir::execute {

std::vector<BackendChoice> list_cuda_backends() {
  return {{"cuda", false, "this build has no CUDA"}};
}

std::unique_ptr<Backend> make_cuda_backend(const std::string& name, unsigned /*threads*/) {
  throw Error("no backend " + name + ": this build has no CUDA");
}

double measure_link(Backend& backend, double /*seconds*/) {
  throw Error(backend.name() + " has no link to measure");
}

double measure_resident(Backend& backend, const plan::QueryPlan& /*query*/, const batch::Batch& /*batch*/,
                        const GroupView& /*groups*/, double /*seconds*/) {
  throw Error(backend.name() + " has no memory of its own to measure");
}

}  // namespace weir::execute
