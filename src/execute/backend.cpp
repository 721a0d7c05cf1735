// Which backends there are. Without CUDA in the build: the CPU.
#include "execute/backend.hpp"

#include "core/error.hpp"

namespace weir::execute {
namespace {

constexpr const char* kNoCuda = "this build has no CUDA";

}  // namespace

void WindowTotals::clear() noexcept {
  start_ns = 0;
  end_ns = 0;
  revision = false;
  groups.clear();
  counts.clear();
  arguments.clear();
  quantiles.clear();
  distincts.clear();
}

std::vector<BackendChoice> list_backends() {
  return {{"cpu", true, make_cpu_backend(0)->description()}, {"cuda", false, kNoCuda}};
}

std::unique_ptr<Backend> make_backend(const std::string& device, unsigned threads, std::string& why) {
  why.clear();
  if (device == "cpu" || device == "auto") return make_cpu_backend(threads);
  if (device == "cuda" || device.starts_with("cuda:")) {
    throw ConfigError("device \"" + device + "\" is not available: " + kNoCuda, "use device = \"auto\" or \"cpu\"");
  }
  throw ConfigError("unknown device \"" + device + "\"", "one of: auto, cpu, cuda, cuda:0");
}

}  // namespace weir::execute
