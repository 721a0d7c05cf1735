// A build without CUDA has no CUDA devices.
#include "core/error.hpp"
#include "execute/cuda_choice.hpp"

namespace weir::execute {

std::vector<BackendChoice> list_cuda_backends() {
  return {{"cuda", false, "this build has no CUDA"}};
}

std::unique_ptr<Backend> make_cuda_backend(const std::string& name, unsigned /*threads*/) {
  throw Error("no backend " + name + ": this build has no CUDA");
}

}  // namespace weir::execute
