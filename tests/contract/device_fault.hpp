// Breaks the CUDA device of this process for good, as a bug or a failing card would.
#pragma once

namespace weir::contract {

/// @brief Runs a kernel on the first device that writes where there is no memory. From then on every call of this
/// process to the device fails. @param wait until it has happened; otherwise a later call meets it
void break_cuda_device(bool wait);

}  // namespace weir::contract
