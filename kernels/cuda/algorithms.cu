// Algorithms over the whole device, from CUB and Thrust.
#include <thrust/execution_policy.h>
#include <thrust/fill.h>

#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_reduce.cuh>
#include <cub/device/device_scan.cuh>
#include <cuda/std/functional>

#include "kernels/cuda/stream.hpp"
#include "kernels/launch/launches.hpp"

namespace weir::kernels::cuda {
namespace {

/// CUB is asked twice: how much storage, then to do it.
template <class Algorithm>
void with_scratch(const Stream& stream, const Algorithm& algorithm) {
  std::size_t bytes = 0;
  WEIR_CUDA(algorithm(nullptr, bytes));
  void* const scratch = state_of(stream).reserve(bytes);
  WEIR_CUDA(algorithm(scratch, bytes));
}

template <class Value>
void sort_pairs(const std::uint64_t* keys_in, std::uint64_t* keys_out, const Value* in, Value* out, std::uint64_t size,
                int bits, const Stream& stream) {
  if (size == 0) return;
  with_scratch(stream, [&](void* scratch, std::size_t& bytes) {
    return cub::DeviceRadixSort::SortPairs(scratch, bytes, keys_in, keys_out, in, out, size, 0, bits,
                                           cuda_stream(stream));
  });
}

}  // namespace

void exclusive_sum(const std::uint32_t* in, std::uint32_t* out, std::uint64_t size, const Stream& stream) {
  if (size == 0) return;
  with_scratch(stream, [&](void* scratch, std::size_t& bytes) {
    return cub::DeviceScan::ExclusiveSum(scratch, bytes, in, out, size, cuda_stream(stream));
  });
}

void sort_rows(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint32_t* rows_in,
               std::uint32_t* rows_out, std::uint64_t size, int bits, const Stream& stream) {
  sort_pairs(keys_in, keys_out, rows_in, rows_out, size, bits, stream);
}

void sort_counts(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint64_t* counts_in,
                 std::uint64_t* counts_out, std::uint64_t size, const Stream& stream) {
  sort_pairs(keys_in, keys_out, counts_in, counts_out, size, 64, stream);
}

void sum_counts(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint64_t* counts_in,
                std::uint64_t* counts_out, std::uint64_t* out_size, std::uint64_t size, const Stream& stream) {
  with_scratch(stream, [&](void* scratch, std::size_t& bytes) {
    return cub::DeviceReduce::ReduceByKey(scratch, bytes, keys_in, keys_out, counts_in, counts_out, out_size,
                                          ::cuda::std::plus<>{}, size, cuda_stream(stream));
  });
}

void fill_counts(std::uint64_t* out, std::uint64_t value, std::uint64_t size, const Stream& stream) {
  thrust::fill_n(thrust::cuda::par_nosync.on(cuda_stream(stream)), out, size, value);
  WEIR_CUDA(cudaGetLastError());
}

}  // namespace weir::kernels::cuda
