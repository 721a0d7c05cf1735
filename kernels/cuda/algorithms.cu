// Algorithms over the whole device, from CUB and Thrust.
#include <thrust/iterator/constant_iterator.h>
#include <thrust/iterator/zip_iterator.h>

#include <algorithm>
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

struct Counted {
  template <class Pair>
  __device__ bool operator()(const Pair& pair) const {
    return ::cuda::std::get<1>(pair) != 0;
  }
};

// CUB is asked twice, how much storage and then to do it, with the same arguments: call(storage, bytes).

auto sum_call(const std::uint32_t* in, std::uint32_t* out, std::uint64_t size, cudaStream_t stream) {
  return [=](void* scratch, std::size_t& bytes) {
    return cub::DeviceScan::ExclusiveSum(scratch, bytes, in, out, size, stream);
  };
}

auto sort_rows_call(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint32_t* rows_in,
                    std::uint32_t* rows_out, std::uint64_t size, int bits, cudaStream_t stream) {
  return [=](void* scratch, std::size_t& bytes) {
    return cub::DeviceRadixSort::SortPairs(scratch, bytes, keys_in, keys_out, rows_in, rows_out, size, 0, bits, stream);
  };
}

auto sort_keys_call(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t size, int bits,
                    cudaStream_t stream) {
  return [=](void* scratch, std::size_t& bytes) {
    return cub::DeviceRadixSort::SortKeys(scratch, bytes, keys_in, keys_out, size, 0, bits, stream);
  };
}

template <class Counts>
auto sum_counts_call(const std::uint64_t* keys_in, Counts counts_in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                     std::uint64_t* out_size, std::uint64_t size, cudaStream_t stream) {
  return [=](void* scratch, std::size_t& bytes) {
    return cub::DeviceReduce::ReduceByKey(scratch, bytes, keys_in, keys_out, counts_in, counts_out, out_size,
                                          ::cuda::std::plus<>{}, size, stream);
  };
}

auto ones() {
  return thrust::make_constant_iterator(std::uint64_t{1});
}

auto merge_call(const CountList& a, const CountList& b, std::uint64_t* keys_out, std::uint64_t* counts_out,
                cudaStream_t stream) {
  return [=](void* scratch, std::size_t& bytes) {
    return cub::DeviceMerge::MergePairs(scratch, bytes, a.keys, a.counts, static_cast<std::int64_t>(a.size), b.keys,
                                        b.counts, static_cast<std::int64_t>(b.size), keys_out, counts_out,
                                        ::cuda::std::less<>{}, stream);
  };
}

auto drop_zeros_call(const CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out, std::uint64_t* out_size,
                     cudaStream_t stream) {
  return [=](void* scratch, std::size_t& bytes) {
    return cub::DeviceSelect::If(scratch, bytes, thrust::make_zip_iterator(in.keys, in.counts),
                                 thrust::make_zip_iterator(keys_out, counts_out), out_size,
                                 static_cast<std::int64_t>(in.size), Counted{}, stream);
  };
}

template <class Call>
std::size_t bytes_of(const Call& call) {
  std::size_t bytes = 0;
  WEIR_CUDA(call(nullptr, bytes));
  return bytes;
}

template <class Call>
void run_call(const Call& call, const Stream& stream) {
  std::size_t bytes = bytes_of(call);
  void* const scratch = state_of(stream).reserve(bytes, 2 * bytes);
  WEIR_CUDA(call(scratch, bytes));
}

}  // namespace

std::uint64_t scratch_bytes(const AlgorithmSizes& sizes) {
  constexpr int kAllBits = 64;
  std::size_t most = 0;
  const auto need = [&most](std::uint64_t size, const auto& call) {
    if (size > 0) most = std::max(most, bytes_of(call));
  };
  std::uint64_t* const none = nullptr;
  const CountList all{none, none, sizes.counts};
  need(sizes.sums, sum_call(nullptr, nullptr, sizes.sums, nullptr));
  need(sizes.rows, sort_rows_call(nullptr, nullptr, nullptr, nullptr, sizes.rows, kAllBits, nullptr));
  need(sizes.keys, sort_keys_call(nullptr, nullptr, sizes.keys, kAllBits, nullptr));
  need(sizes.keys, sum_counts_call(none, ones(), none, none, none, sizes.keys, nullptr));
  // However both lists share it.
  need(sizes.counts, merge_call(all, {}, none, none, nullptr));
  need(sizes.counts, sum_counts_call(none, all.counts, none, none, none, sizes.counts, nullptr));
  need(sizes.counts, drop_zeros_call(all, none, none, none, nullptr));
  return most;
}

void reserve_scratch(const AlgorithmSizes& sizes, const Stream& stream) {
  const std::uint64_t bytes = scratch_bytes(sizes);
  state_of(stream).reserve(bytes, bytes);
}

void exclusive_sum(const std::uint32_t* in, std::uint32_t* out, std::uint64_t size, const Stream& stream) {
  if (size > 0) run_call(sum_call(in, out, size, cuda_stream(stream)), stream);
}

void sort_rows(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint32_t* rows_in,
               std::uint32_t* rows_out, std::uint64_t size, int bits, const Stream& stream) {
  if (size == 0) return;
  run_call(sort_rows_call(keys_in, keys_out, rows_in, rows_out, size, bits, cuda_stream(stream)), stream);
}

void sort_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t size, int bits,
               const Stream& stream) {
  if (size > 0) run_call(sort_keys_call(keys_in, keys_out, size, bits, cuda_stream(stream)), stream);
}

void count_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                std::uint64_t* out_size, std::uint64_t size, const Stream& stream) {
  run_call(sum_counts_call(keys_in, ones(), keys_out, counts_out, out_size, size, cuda_stream(stream)), stream);
}

void merge_counts(const CountList& a, const CountList& b, std::uint64_t* keys_out, std::uint64_t* counts_out,
                  const Stream& stream) {
  run_call(merge_call(a, b, keys_out, counts_out, cuda_stream(stream)), stream);
}

void sum_counts(const CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out, std::uint64_t* out_size,
                const Stream& stream) {
  run_call(sum_counts_call(in.keys, in.counts, keys_out, counts_out, out_size, in.size, cuda_stream(stream)), stream);
}

void drop_zeros(const CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out, std::uint64_t* out_size,
                const Stream& stream) {
  run_call(drop_zeros_call(in, keys_out, counts_out, out_size, cuda_stream(stream)), stream);
}

}  // namespace weir::kernels::cuda
