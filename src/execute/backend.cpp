// Which backends there are: the CPU, and the CUDA devices that build and machine have.
#include "execute/backend.hpp"

#include <utility>

#include "core/error.hpp"
#include "execute/cuda_choice.hpp"

namespace weir::execute {

void WindowTotals::clear() noexcept {
  start_ns = 0;
  end_ns = 0;
  revision = false;
  refused = false;
  groups.clear();
  counts.clear();
  arguments.clear();
  quantiles.clear();
  distincts.clear();
}

std::vector<BackendChoice> list_backends() {
  std::vector<BackendChoice> choices{{"cpu", true, make_cpu_backend(0)->description()}};
  for (BackendChoice& choice : list_cuda_backends()) choices.push_back(std::move(choice));
  return choices;
}

std::unique_ptr<Backend> make_backend(const std::string& device, unsigned threads, std::string& why) {
  why.clear();
  if (device == "cpu") return make_cpu_backend(threads);
  const bool any = device == "auto" || device == "cuda";
  if (!any && !device.starts_with("cuda:")) {
    throw ConfigError("unknown device \"" + device + "\"", "one of: auto, cpu, cuda, cuda:0");
  }
  std::string missing = "no such device";
  for (const BackendChoice& choice : list_cuda_backends()) {
    if (!any && choice.available && choice.name != device) continue;
    if (choice.available) return make_cuda_backend(choice.name, threads);
    missing = choice.detail;
  }
  if (device == "auto") {
    why = "computing on the CPU: " + missing;
    return make_cpu_backend(threads);
  }
  throw ConfigError("device \"" + device + "\" is not available: " + missing, "use device = \"auto\" or \"cpu\"");
}

}  // namespace weir::execute
