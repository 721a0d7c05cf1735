#include "contract/backends.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "contract/naive_backend.hpp"

namespace weir::contract {
namespace {

bool gpu_required() {
  const char* value = std::getenv("WEIR_REQUIRE_GPU");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace

std::vector<std::string> backend_names() {
  return {"naive", "cpu_1", "cpu_2", "cpu_3", "cpu_4", "cuda"};
}

std::unique_ptr<execute::Backend> make_backend_under_test(const std::string& name) {
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

void BackendTest::SetUp() {
  backend_ = make_backend_under_test(GetParam());
  if (backend_ != nullptr) return;
  if (gpu_required()) FAIL() << "WEIR_REQUIRE_GPU=1, but backend " << GetParam() << " is not available";
  GTEST_SKIP() << "no " << GetParam() << " here";
}

}  // namespace weir::contract
