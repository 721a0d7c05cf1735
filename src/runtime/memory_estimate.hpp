// The worst case of a plan's memory, planned before start and printed by `weir check` (semantics §10): an item for
// everything that grows with the input, each with a bound that some entry of the configuration sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "execute/backend.hpp"
#include "plan/plan.hpp"

namespace weir::runtime {

/// Buffers of a stream that go round between its decoder and the engine. Two are in work (decoder, engine), two wait:
/// enough for both sides to run without stopping for each other.
inline constexpr std::size_t kBatchesPerStream = 4;

/// How a plan runs: live input waits in the journal's queue, recorded input is read when it is wanted.
enum class RunMode : std::uint8_t { run, replay };

struct MemoryEstimate {
  enum class Kind : std::uint8_t {
    program,
    batches,
    queue,          ///< the journal in memory
    journal_files,  ///< the durable journal's mapped segments
    messages,       ///< one message of the largest size, in the source and in the decoder
    keys,
    dedupe,
    panes,
    histograms,   ///< of quantile(), which depend on the values
    groups,       ///< tables from keys to groups, revisions
    rows,         ///< of results, on their way to the sinks
    key_release,  ///< panes as bytes, while their groups get other ids
    checkpoints
  };
  struct Item {
    Kind kind = Kind::program;
    std::string owner;  ///< "stream s", "query q", "sink x"; empty: all
    std::uint64_t host_bytes = 0;
    std::uint64_t device_bytes = 0;
    std::uint64_t groups = 0;  ///< of the query, where the bytes grow with them; 0: they do not
    /// @brief "stream s: keys"
    [[nodiscard]] std::string what() const;
  };
  std::vector<Item> items;
  std::uint64_t host_bytes = 0;
  std::uint64_t device_bytes = 0;
  std::uint64_t limit_bytes = 0;         ///< memory_limit, or the machine's memory
  bool limit_is_set = false;             ///< it is memory_limit
  std::uint64_t device_limit_bytes = 0;  ///< the device's memory; 0: no device

  void add(Item item);
  /// @brief What has to fit. Histograms count only against a limit that was set: what they take at their worst, with
  /// values of all magnitudes in every group, few plants ever see, and few machines have.
  [[nodiscard]] std::uint64_t required_bytes() const noexcept;
};

MemoryEstimate estimate_memory(const plan::Plan& plan, const execute::Backend& backend, RunMode mode);
/// @throws ConfigError with the numbers and what to do when the estimate is above a limit, of the host or of the
/// device.
void require_memory(const plan::Plan& plan, const MemoryEstimate& estimate);
/// @brief What a plan that is not refused should still be told; empty: nothing.
std::string memory_warning(const MemoryEstimate& estimate);

/// As execute::make_backend().
using MakeBackend =
    std::function<std::unique_ptr<execute::Backend>(const std::string& device, unsigned threads, std::string& why)>;
/// @brief The backend that the plan runs on: that of its device, and with device = "auto" the CPU also where the plan
/// does not fit the GPU. @param why gets one line when "auto" fell back
/// @throws ConfigError when the device that the plan insists on is not available
std::unique_ptr<execute::Backend> choose_backend(const plan::Plan& plan, RunMode mode, std::string& why,
                                                 const MakeBackend& make = execute::make_backend);

}  // namespace weir::runtime
