// Algorithms over the whole device, from CUB and Thrust.
#include <thrust/iterator/constant_iterator.h>
#include <thrust/iterator/zip_iterator.h>

#include <cub/device/device_merge.cuh>
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_reduce.cuh>
#include <cub/device/device_scan.cuh>
#include <cub/device/device_select.cuh>
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

struct Counted {
  template <class Pair>
  __device__ bool operator()(const Pair& pair) const {
    return ::cuda::std::get<1>(pair) != 0;
  }
};

}  // namespace

void exclusive_sum(const std::uint32_t* in, std::uint32_t* out, std::uint64_t size, const Stream& stream) {
  if (size == 0) return;
  with_scratch(stream, [&](void* scratch, std::size_t& bytes) {
    return cub::DeviceScan::ExclusiveSum(scratch, bytes, in, out, size, cuda_stream(stream));
  });
}

void sort_rows(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint32_t* rows_in,
               std::uint32_t* rows_out, std::uint64_t size, int bits, const Stream& stream) {
  if (size == 0) return;
  with_scratch(stream, [&](void* scratch, std::size_t& bytes) {
    return cub::DeviceRadixSort::SortPairs(scratch, bytes, keys_in, keys_out, rows_in, rows_out, size, 0, bits,
                                           cuda_stream(stream));
  });
}

void sort_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t size, int bits,
               const Stream& stream) {
  if (size == 0) return;
  with_scratch(stream, [&](void* scratch, std::size_t& bytes) {
    return cub::DeviceRadixSort::SortKeys(scratch, bytes, keys_in, keys_out, size, 0, bits, cuda_stream(stream));
  });
}

void count_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                std::uint64_t* out_size, std::uint64_t size, const Stream& stream) {
  const auto ones = thrust::make_constant_iterator(std::uint64_t{1});
  with_scratch(stream, [&](void* scratch, std::size_t& bytes) {
    return cub::DeviceReduce::ReduceByKey(scratch, bytes, keys_in, keys_out, ones, counts_out, out_size,
                                          ::cuda::std::plus<>{}, size, cuda_stream(stream));
  });
}

void merge_counts(const CountList& a, const CountList& b, std::uint64_t* keys_out, std::uint64_t* counts_out,
                  const Stream& stream) {
  with_scratch(stream, [&](void* scratch, std::size_t& bytes) {
    return cub::DeviceMerge::MergePairs(scratch, bytes, a.keys, a.counts, static_cast<std::int64_t>(a.size), b.keys,
                                        b.counts, static_cast<std::int64_t>(b.size), keys_out, counts_out,
                                        ::cuda::std::less<>{}, cuda_stream(stream));
  });
}

void sum_counts(const CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out, std::uint64_t* out_size,
                const Stream& stream) {
  with_scratch(stream, [&](void* scratch, std::size_t& bytes) {
    return cub::DeviceReduce::ReduceByKey(scratch, bytes, in.keys, keys_out, in.counts, counts_out, out_size,
                                          ::cuda::std::plus<>{}, in.size, cuda_stream(stream));
  });
}

void drop_zeros(const CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out, std::uint64_t* out_size,
                const Stream& stream) {
  const auto from = thrust::make_zip_iterator(in.keys, in.counts);
  const auto to = thrust::make_zip_iterator(keys_out, counts_out);
  with_scratch(stream, [&](void* scratch, std::size_t& bytes) {
    return cub::DeviceSelect::If(scratch, bytes, from, to, out_size, static_cast<std::int64_t>(in.size), Counted{},
                                 cuda_stream(stream));
  });
}

}  // namespace weir::kernels::cuda
