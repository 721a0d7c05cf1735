// The device as the CUDA backend sees it: memory, streams, copies, launches. Everything that execute/cuda knows of
// CUDA.
//
// Implemented by kernels/cuda with the CUDA runtime, Thrust and CUB, and by the tests on the host with the kernels' own
// source, which is how the backend's logic and the kernels' indexing are proven where there is no GPU.
//
// Asynchronous as CUDA is: a copy or launch is done when its stream was synchronized, or an event that was recorded
// behind it. Every call takes its stream; there is no default one. One thread calls a device at a time, but
// allocate_pinned() and release_pinned(), which any may, and synchronize(event): another thread may wait for an event
// that nobody records again meanwhile, and reads what was copied before it once it returned. Errors are thrown as
// DeviceError; destructors swallow them, for whoever else calls the device meets them again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/error.hpp"
#include "kernels/views.hpp"

namespace weir::kernels {

/// The device refused or lost something: what, where in the source, what CUDA says. After one, nothing on the device
/// can be relied on.
class DeviceError : public Error {
 public:
  using Error::Error;
};

/// A queue of work on the device. Made by Device::make_stream(), released with the device's last reference to it.
struct Stream {
  std::shared_ptr<void> handle;
};

/// A place in a stream.
struct Event {
  std::shared_ptr<void> handle;
};

struct DeviceProperties {
  std::string name;                ///< "cuda:0"
  std::string model;               ///< "NVIDIA H100, 79.1 GiB, compute capability 9.0"
  std::uint64_t memory = 0;        ///< bytes
  std::uint32_t processors = 1;    ///< streaming multiprocessors
  std::uint32_t shared_bytes = 0;  ///< shared memory that a block may have
  bool integrated = false;         ///< device and host share their memory: columns are mapped, not copied
};

/// Keys with a count each, for the algorithms.
struct CountList {
  const std::uint64_t* keys = nullptr;  ///< [size]
  const std::uint64_t* counts = nullptr;
  std::uint64_t size = 0;
};

/// The most elements that algorithms over the whole device are given; 0 where one is not used.
struct AlgorithmSizes {
  std::uint64_t sums = 0;    ///< exclusive_sum()
  std::uint64_t rows = 0;    ///< sort_rows()
  std::uint64_t keys = 0;    ///< sort_keys(), count_keys()
  std::uint64_t counts = 0;  ///< merge_counts(), both lists together; sum_counts(), drop_zeros()
};

class Device {
 public:
  virtual ~Device() = default;
  [[nodiscard]] virtual const DeviceProperties& properties() const noexcept = 0;

  // Memory, at least 256-byte aligned; contents undefined.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;
  virtual void* allocate_pinned(std::size_t bytes) = 0;
  virtual void release_pinned(void* memory) noexcept = 0;
  /// @brief The device's address of host memory; nullptr for memory that is not page-locked and mapped.
  virtual const void* mapped(const void* host) = 0;

  virtual Stream make_stream() = 0;
  virtual Event make_event() = 0;
  /// @brief An event that also notes when it was passed. Costs more than one that does not.
  virtual Event make_timed_event() = 0;
  /// @brief Milliseconds between two timed events that were both passed.
  virtual double milliseconds(const Event& from, const Event& to) = 0;
  virtual void record(const Event& event, const Stream& stream) = 0;
  /// @brief What follows in `stream` waits for `event`.
  virtual void wait(const Stream& stream, const Event& event) = 0;
  virtual void synchronize(const Event& event) = 0;
  virtual void synchronize(const Stream& stream) = 0;

  virtual void copy_to_device(void* to, const void* from, std::size_t bytes, const Stream& stream) = 0;
  virtual void copy_to_host(void* to, const void* from, std::size_t bytes, const Stream& stream) = 0;
  virtual void copy_within(void* to, const void* from, std::size_t bytes, const Stream& stream) = 0;
  virtual void fill_zero(void* memory, std::size_t bytes, const Stream& stream) = 0;

  // step.hpp, pairs.hpp
  virtual void launch_global_step(const StepView& step, const Stream& stream) = 0;
  virtual void launch_shared_step(const StepView& step, std::size_t shared_bytes, const Stream& stream) = 0;
  virtual void launch_sort_step(const StepView& step, const Stream& stream) = 0;
  virtual void launch_sorted_runs(const RunsView& runs, const Stream& stream) = 0;
  /// @brief Both kernels of pairs.hpp.
  virtual void launch_pairs(const StepView& step, const Stream& stream) = 0;
  // window.hpp
  virtual void launch_close(const WindowView& window, const Stream& stream) = 0;
  virtual void launch_fold(const FoldView& fold, const Stream& stream) = 0;
  virtual void launch_gather(const GatherView& gather, const Stream& stream) = 0;
  virtual void launch_empty(const EmptyView& empty, const Stream& stream) = 0;
  // having.hpp
  virtual void launch_having(const HavingView& having, const Stream& stream) = 0;
  // codes.hpp
  virtual void launch_find_slots(const FindSlotsView& find, const Stream& stream) = 0;
  virtual void launch_strip_slots(const StripSlotsView& strip, const Stream& stream) = 0;
  virtual void launch_subtract_codes(const SubtractCodesView& subtract, const Stream& stream) = 0;

  // Algorithms over the whole device. Temporary storage belongs to the stream; it is reserved, or grows to what was
  // needed most.
  /// @brief Bytes of temporary storage for these sizes.
  [[nodiscard]] virtual std::uint64_t scratch_bytes(const AlgorithmSizes& sizes) const = 0;
  /// @brief Allocates that for a stream that has none yet.
  virtual void reserve_scratch(const AlgorithmSizes& sizes, const Stream& stream) = 0;
  /// @brief out[i] = in[0] + … + in[i-1]
  virtual void exclusive_sum(const std::uint32_t* in, std::uint32_t* out, std::uint64_t size, const Stream& stream) = 0;
  /// @brief Sorts by the low `bits` bits of the keys, stably.
  virtual void sort_rows(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint32_t* rows_in,
                         std::uint32_t* rows_out, std::uint64_t size, int bits, const Stream& stream) = 0;
  virtual void sort_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t size, int bits,
                         const Stream& stream) = 0;
  /// @brief How often each key stands in a row of equal ones; how many different ones there are goes to *out_size.
  virtual void count_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                          std::uint64_t* out_size, std::uint64_t size, const Stream& stream) = 0;
  /// @brief Two lists in ascending order of their keys become one of a.size + b.size.
  virtual void merge_counts(const CountList& a, const CountList& b, std::uint64_t* keys_out, std::uint64_t* counts_out,
                            const Stream& stream) = 0;
  /// @brief Adds the counts of equal neighbouring keys; how many keys are left goes to *out_size.
  virtual void sum_counts(const CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                          std::uint64_t* out_size, const Stream& stream) = 0;
  /// @brief Leaves out the keys whose count is 0; how many are left goes to *out_size.
  virtual void drop_zeros(const CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                          std::uint64_t* out_size, const Stream& stream) = 0;
};

}  // namespace weir::kernels
