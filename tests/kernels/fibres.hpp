// The threads of a block as fibres of one thread: each runs until its next barrier, then the next one does. So a
// kernel's own source runs on the host, with its real indices, and a sanitizer sees every access.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace weir::kernels::host {

/// @brief Calls body(thread) for each thread in [0, threads); body may call fibre_barrier(). @throws std::logic_error
/// when some threads ended while others wait at a barrier: on a device that hangs.
void run_fibres(std::uint32_t threads, const std::function<void(std::uint32_t)>& body);

/// @brief From inside a body: returns when every thread got here.
void fibre_barrier();

}  // namespace weir::kernels::host
