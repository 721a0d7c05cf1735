#include "contract/backends.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "contract/naive_backend.hpp"
#include "execute/cuda/cuda_backend.hpp"
#include "kernels/host_device.hpp"

namespace weir::contract {
namespace {

/// The CUDA backend with the kernels on the host: each way to accumulate, and the one that it chooses by itself over
/// memory that host and device share.
std::unique_ptr<execute::Backend> make_cuda_on_host(const std::string& way) {
  using execute::cuda::Accumulation;
  kernels::host::HostDeviceOptions options;
  options.integrated = way == "mapped";
  execute::cuda::Tuning tuning;
  tuning.accumulation = way == "shared"   ? Accumulation::shared
                        : way == "global" ? Accumulation::global
                        : way == "sorted" ? Accumulation::sorted
                                          : Accumulation::automatic;
  // So small that a batch has several chunks, and a window several copies.
  tuning.chunk_rows = way == "global" ? 1000 : 20'000;
  tuning.rows_per_thread = 7;
  tuning.copy_entries = 33;
  tuning.pending_codes = 3000;
  // So few that lists of codes outgrow what was planned.
  tuning.assumed_bins = way == "sorted" ? 16 : 2;
  tuning.assumed_keys = 3;
  return std::make_unique<execute::cuda::CudaBackend>(kernels::host::make_host_device(options), way == "shared" ? 2 : 1,
                                                      tuning);
}

bool gpu_required() {
  const char* value = std::getenv("WEIR_REQUIRE_GPU");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace

std::vector<std::string> backend_names() {
  return {"naive",
          "cpu_1",
          "cpu_2",
          "cpu_3",
          "cpu_4",
          "cuda_host_mapped",
          "cuda_host_shared",
          "cuda_host_global",
          "cuda_host_sorted",
          "cuda"};
}

std::unique_ptr<execute::Backend> make_backend_under_test(const std::string& name) {
  if (name.starts_with("cuda_host_")) return make_cuda_on_host(name.substr(10));
  if (name == "naive") return make_naive_backend();
  if (name.starts_with("cpu_")) return execute::make_cpu_backend(static_cast<unsigned>(std::stoul(name.substr(4))));
  const std::vector<execute::BackendChoice> choices = execute::list_backends();
  const auto found = std::find_if(choices.begin(), choices.end(), [&](const execute::BackendChoice& choice) {
    return choice.name.starts_with(name) && choice.available;
  });
  if (found == choices.end()) return nullptr;
  std::string why;
  return execute::make_backend(found->name, 1, why);
}

bool may_skip(const std::string& name) {
  return !gpu_required() && make_backend_under_test(name) == nullptr;
}

void BackendTest::SetUp() {
  backend_ = make_backend_under_test(GetParam());
  if (backend_ != nullptr) return;
  if (gpu_required()) FAIL() << "WEIR_REQUIRE_GPU=1, but backend " << GetParam() << " is not available";
  GTEST_SKIP() << "no " << GetParam() << " here";
}

}  // namespace weir::contract
