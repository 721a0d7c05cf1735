// The backends that the contract suite runs over. Each test of the suite is instantiated once for each of them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "execute/backend.hpp"

namespace weir::contract {

/// @brief "naive", "cpu_1" … "cpu_4" (threads), "cuda".
std::vector<std::string> backend_names();

/// @brief The backend of that name; nothing for one that this machine does not have, which with WEIR_REQUIRE_GPU=1 is a
/// failure of the test and otherwise skips it.
std::unique_ptr<execute::Backend> make_backend_under_test(const std::string& name);

/// @brief There is no backend of that name and WEIR_REQUIRE_GPU=1 does not ask for one: a test may skip.
bool may_skip(const std::string& name);

/// One backend each test: `backend()` is the one under test.
class BackendTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override;
  execute::Backend& backend() { return *backend_; }

 private:
  std::unique_ptr<execute::Backend> backend_;
};

}  // namespace weir::contract

#define WEIR_CONTRACT_SUITE(suite)                                                                  \
  INSTANTIATE_TEST_SUITE_P(Backends, suite, ::testing::ValuesIn(::weir::contract::backend_names()), \
                           [](const auto& param_info) { return param_info.param; })
