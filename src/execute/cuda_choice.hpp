// The CUDA devices that a build and a machine have. One of two files implements it: cuda/cuda_choice.cpp, or without
// CUDA no_cuda.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "execute/backend.hpp"

namespace weir::execute {

/// @brief Every device, whether it can be used or not; without one, a single choice "cuda" that says why.
std::vector<BackendChoice> list_cuda_backends();

/// @brief The backend on device `name` ("cuda:0"), one of the list that is available.
std::unique_ptr<Backend> make_cuda_backend(const std::string& name, unsigned threads);

}  // namespace weir::execute
