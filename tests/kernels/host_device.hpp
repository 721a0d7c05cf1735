// A device on the host, for tests: the kernels' own source in loops over blocks and threads, as fibres where a kernel
// has a barrier, and the algorithms of the whole device from the standard library.
//
// It is as lazy as it may be: work waits in its stream until somebody synchronizes, so what the backend reads too early
// or overwrites too soon comes out wrong. Memory comes out full of a pattern, so what nobody wrote shows. Any thread
// may call it, one at a time.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>

#include "kernels/launch/device.hpp"

namespace weir::kernels::host {

struct HostDeviceOptions {
  std::uint32_t threads = 32;  ///< of a block
  std::uint32_t blocks = 3;    ///< of a grid
  std::uint32_t shared_bytes = 48U << 10U;
  bool integrated = false;
  std::uint64_t memory = std::uint64_t{1} << 40U;  ///< bytes that can be allocated at once
  /// So many calls are good, then so many fail, all that follow where the device is lost.
  std::uint64_t good_calls = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t bad_calls = std::numeric_limits<std::uint64_t>::max();
};

class HostDevice : public Device {
 public:
  /// @brief Bytes held now, on the device, temporary storage of streams included.
  [[nodiscard]] virtual std::uint64_t allocated() const noexcept = 0;
  /// @brief Page-locked bytes held now.
  [[nodiscard]] virtual std::uint64_t pinned() const noexcept = 0;
  /// @brief Calls until now that can fail.
  [[nodiscard]] virtual std::uint64_t calls() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t allocations() const noexcept = 0;
  /// @brief Bytes that copies to the host were asked for.
  [[nodiscard]] virtual std::uint64_t copied_to_host() const noexcept = 0;
  /// @brief How often a thread waited for a stream or an event.
  [[nodiscard]] virtual std::uint64_t synchronizations() const noexcept = 0;
  /// @brief All calls from now on fail.
  virtual void lose() noexcept = 0;
  /// @brief Elements that were given to a sort until now.
  [[nodiscard]] virtual std::uint64_t sorted() const noexcept = 0;
};

std::unique_ptr<HostDevice> make_host_device(const HostDeviceOptions& options = {});

}  // namespace weir::kernels::host
