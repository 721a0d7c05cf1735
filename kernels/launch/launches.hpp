// The launches of the kernels on CUDA, callable from the host; sizes and errors are checked there. All asynchronous in
// `stream`. @throws DeviceError
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/launch/device.hpp"

namespace weir::kernels::cuda {

// step.cu
void launch_global_step(const StepView& step, const DeviceProperties& device, const Stream& stream);
void launch_shared_step(const StepView& step, std::size_t shared_bytes, const DeviceProperties& device,
                        const Stream& stream);
void launch_sort_step(const StepView& step, const DeviceProperties& device, const Stream& stream);
void launch_sorted_runs(const RunsView& runs, const DeviceProperties& device, const Stream& stream);
void launch_pairs(const StepView& step, const DeviceProperties& device, const Stream& stream);

// window.cu
void launch_close(const WindowView& window, const DeviceProperties& device, const Stream& stream);
void launch_fold(const FoldView& fold, const DeviceProperties& device, const Stream& stream);
void launch_gather(const GatherView& gather, const DeviceProperties& device, const Stream& stream);
void launch_empty(const EmptyView& empty, const DeviceProperties& device, const Stream& stream);
void launch_having(const HavingView& having, const DeviceProperties& device, const Stream& stream);

// codes.cu
void launch_find_slots(const FindSlotsView& find, const DeviceProperties& device, const Stream& stream);
void launch_strip_slots(const StripSlotsView& strip, const DeviceProperties& device, const Stream& stream);
void launch_subtract_codes(const SubtractCodesView& subtract, const DeviceProperties& device, const Stream& stream);

// algorithms.cu: as in launch/device.hpp
std::uint64_t scratch_bytes(const AlgorithmSizes& sizes);
void reserve_scratch(const AlgorithmSizes& sizes, const Stream& stream);
void exclusive_sum(const std::uint32_t* in, std::uint32_t* out, std::uint64_t size, const Stream& stream);
void sort_rows(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint32_t* rows_in,
               std::uint32_t* rows_out, std::uint64_t size, int bits, const Stream& stream);
void sort_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t size, int bits,
               const Stream& stream);
void count_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                std::uint64_t* out_size, std::uint64_t size, const Stream& stream);
void merge_counts(const CountList& a, const CountList& b, std::uint64_t* keys_out, std::uint64_t* counts_out,
                  const Stream& stream);
void sum_counts(const CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out, std::uint64_t* out_size,
                const Stream& stream);
void drop_zeros(const CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out, std::uint64_t* out_size,
                const Stream& stream);

}  // namespace weir::kernels::cuda
