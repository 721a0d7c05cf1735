// The CUDA devices of this machine.
#include "execute/cuda_choice.hpp"

#include "core/error.hpp"
#include "execute/cuda/cuda_backend.hpp"
#include "kernels/cuda/cuda_device.hpp"

namespace weir::execute {

std::vector<BackendChoice> list_cuda_backends() {
  std::string why;
  std::vector<BackendChoice> choices;
  for (const kernels::cuda::Found& found : kernels::cuda::find_devices(why)) {
    const bool available = found.missing.empty();
    choices.push_back({found.properties.name, available, available ? found.properties.model : found.missing});
  }
  if (choices.empty()) choices.push_back({"cuda", false, why});
  return choices;
}

std::unique_ptr<Backend> make_cuda_backend(const std::string& name, unsigned threads) {
  std::string why;
  for (const kernels::cuda::Found& found : kernels::cuda::find_devices(why)) {
    if (found.properties.name == name) {
      return std::make_unique<cuda::CudaBackend>(kernels::cuda::make_device(found.index), threads);
    }
  }
  throw Error("no backend " + name + ": " + why);
}

}  // namespace weir::execute
