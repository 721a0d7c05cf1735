#include "kernels/cuda/cuda_device.hpp"

#include <cuda_runtime.h>

#include <cstdio>

#include "kernels/cuda/launch.cuh"
#include "kernels/launch/launches.hpp"

namespace weir::kernels::cuda {
namespace {

/// Has code for every architecture that the build is for: whether it can be loaded tells whether a device can run it.
struct Nothing {
  template <class Block>
  WEIR_HOST_DEVICE void operator()(Block& /*block*/) const {}
};

DeviceProperties properties_of(int index) {
  cudaDeviceProp found{};
  WEIR_CUDA(cudaGetDeviceProperties(&found, index));
  DeviceProperties properties;
  properties.name = "cuda:" + std::to_string(index);
  properties.memory = found.totalGlobalMem;
  properties.processors = static_cast<std::uint32_t>(found.multiProcessorCount);
  properties.shared_bytes = static_cast<std::uint32_t>(found.sharedMemPerBlock);
  properties.integrated = found.integrated != 0 && found.canMapHostMemory != 0;
  char text[64];
  std::snprintf(text, sizeof text, ", %.1f GiB, %d processors, compute capability %d.%d",
                static_cast<double>(found.totalGlobalMem) / (1024.0 * 1024.0 * 1024.0), found.multiProcessorCount,
                found.major, found.minor);
  properties.model = std::string(found.name) + text + (properties.integrated ? ", memory shared with the host" : "");
  return properties;
}

class CudaDevice final : public Device {
 public:
  explicit CudaDevice(int index) : index_(index), properties_(properties_of(index)) {
    use();
    // Waiting threads sleep: the processor has readings to decode.
    WEIR_CUDA(cudaInitDevice(index, cudaDeviceScheduleBlockingSync, cudaInitDeviceFlagsAreValid));
  }

  [[nodiscard]] const DeviceProperties& properties() const noexcept override { return properties_; }

  void* allocate(std::size_t bytes) override {
    use();
    return allocate_memory(bytes);
  }
  void release(void* memory) noexcept override { cudaFree(memory); }
  void* allocate_pinned(std::size_t bytes) override {
    use();
    void* memory = nullptr;
    WEIR_CUDA(cudaHostAlloc(&memory, bytes, cudaHostAllocPortable | cudaHostAllocMapped));
    return memory;
  }
  void release_pinned(void* memory) noexcept override { cudaFreeHost(memory); }
  const void* mapped(const void* host) override {
    use();
    cudaPointerAttributes attributes{};
    WEIR_CUDA(cudaPointerGetAttributes(&attributes, host));
    return attributes.type == cudaMemoryTypeHost ? attributes.devicePointer : nullptr;
  }

  Stream make_stream() override {
    use();
    return {std::make_shared<StreamState>()};
  }
  Event make_event() override { return event_with(cudaEventDisableTiming | cudaEventBlockingSync); }
  Event make_timed_event() override { return event_with(cudaEventBlockingSync); }
  double milliseconds(const Event& from, const Event& to) override {
    use();
    float passed = 0.0F;
    WEIR_CUDA(cudaEventElapsedTime(&passed, event_of(from), event_of(to)));
    return static_cast<double>(passed);
  }
  void record(const Event& event, const Stream& stream) override {
    use();
    WEIR_CUDA(cudaEventRecord(event_of(event), cuda_stream(stream)));
  }
  void wait(const Stream& stream, const Event& event) override {
    use();
    WEIR_CUDA(cudaStreamWaitEvent(cuda_stream(stream), event_of(event), 0));
  }
  void synchronize(const Event& event) override {
    use();
    WEIR_CUDA(cudaEventSynchronize(event_of(event)));
  }
  void synchronize(const Stream& stream) override {
    use();
    WEIR_CUDA(cudaStreamSynchronize(cuda_stream(stream)));
  }

  void copy_to_device(void* to, const void* from, std::size_t bytes, const Stream& stream) override {
    copy(to, from, bytes, cudaMemcpyHostToDevice, stream);
  }
  void copy_to_host(void* to, const void* from, std::size_t bytes, const Stream& stream) override {
    copy(to, from, bytes, cudaMemcpyDeviceToHost, stream);
  }
  void copy_within(void* to, const void* from, std::size_t bytes, const Stream& stream) override {
    copy(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
  }
  void fill_zero(void* memory, std::size_t bytes, const Stream& stream) override {
    use();
    WEIR_CUDA(cudaMemsetAsync(memory, 0, bytes, cuda_stream(stream)));
  }

  void launch_global_step(const StepView& step, const Stream& stream) override {
    use();
    cuda::launch_global_step(step, properties_, stream);
  }
  void launch_shared_step(const StepView& step, std::size_t shared_bytes, const Stream& stream) override {
    use();
    cuda::launch_shared_step(step, shared_bytes, properties_, stream);
  }
  void launch_sort_step(const StepView& step, const Stream& stream) override {
    use();
    cuda::launch_sort_step(step, properties_, stream);
  }
  void launch_sorted_runs(const RunsView& runs, const Stream& stream) override {
    use();
    cuda::launch_sorted_runs(runs, properties_, stream);
  }
  void launch_pairs(const StepView& step, const Stream& stream) override {
    use();
    cuda::launch_pairs(step, properties_, stream);
  }
  void launch_close(const WindowView& window, const Stream& stream) override {
    use();
    cuda::launch_close(window, properties_, stream);
  }
  void launch_fold(const FoldView& fold, const Stream& stream) override {
    use();
    cuda::launch_fold(fold, properties_, stream);
  }
  void launch_gather(const GatherView& gather, const Stream& stream) override {
    use();
    cuda::launch_gather(gather, properties_, stream);
  }
  void launch_empty(const EmptyView& empty, const Stream& stream) override {
    use();
    cuda::launch_empty(empty, properties_, stream);
  }
  void launch_find_slots(const FindSlotsView& find, const Stream& stream) override {
    use();
    cuda::launch_find_slots(find, properties_, stream);
  }
  void launch_strip_slots(const StripSlotsView& strip, const Stream& stream) override {
    use();
    cuda::launch_strip_slots(strip, properties_, stream);
  }
  void launch_subtract_codes(const SubtractCodesView& subtract, const Stream& stream) override {
    use();
    cuda::launch_subtract_codes(subtract, properties_, stream);
  }
  void launch_having(const HavingView& having, const Stream& stream) override {
    use();
    cuda::launch_having(having, properties_, stream);
  }

  [[nodiscard]] std::uint64_t scratch_bytes(const AlgorithmSizes& sizes) const override {
    use();
    return cuda::scratch_bytes(sizes);
  }
  void reserve_scratch(const AlgorithmSizes& sizes, const Stream& stream) override {
    use();
    cuda::reserve_scratch(sizes, stream);
  }
  void exclusive_sum(const std::uint32_t* in, std::uint32_t* out, std::uint64_t size, const Stream& stream) override {
    use();
    cuda::exclusive_sum(in, out, size, stream);
  }
  void sort_rows(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint32_t* rows_in,
                 std::uint32_t* rows_out, std::uint64_t size, int bits, const Stream& stream) override {
    use();
    cuda::sort_rows(keys_in, keys_out, rows_in, rows_out, size, bits, stream);
  }
  void sort_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t size, int bits,
                 const Stream& stream) override {
    use();
    cuda::sort_keys(keys_in, keys_out, size, bits, stream);
  }
  void count_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                  std::uint64_t* out_size, std::uint64_t size, const Stream& stream) override {
    use();
    cuda::count_keys(keys_in, keys_out, counts_out, out_size, size, stream);
  }
  void merge_counts(const CountList& a, const CountList& b, std::uint64_t* keys_out, std::uint64_t* counts_out,
                    const Stream& stream) override {
    use();
    cuda::merge_counts(a, b, keys_out, counts_out, stream);
  }
  void sum_counts(const CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out, std::uint64_t* out_size,
                  const Stream& stream) override {
    use();
    cuda::sum_counts(in, keys_out, counts_out, out_size, stream);
  }
  void drop_zeros(const CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out, std::uint64_t* out_size,
                  const Stream& stream) override {
    use();
    cuda::drop_zeros(in, keys_out, counts_out, out_size, stream);
  }

 private:
  Event event_with(unsigned flags) const {
    use();
    cudaEvent_t event = nullptr;
    WEIR_CUDA(cudaEventCreateWithFlags(&event, flags));
    return {std::shared_ptr<void>(event, [](void* made) { cudaEventDestroy(static_cast<cudaEvent_t>(made)); })};
  }
  static cudaEvent_t event_of(const Event& event) { return static_cast<cudaEvent_t>(event.handle.get()); }

  /// Which device a thread calls is the thread's own state.
  void use() const {
    // Asked each time: the host program may have chosen another one on this thread since.
    int current = -1;
    if (cudaGetDevice(&current) == cudaSuccess && current == index_) return;
    WEIR_CUDA(cudaSetDevice(index_));
  }
  void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, const Stream& stream) const {
    use();
    if (bytes > 0) WEIR_CUDA(cudaMemcpyAsync(to, from, bytes, kind, cuda_stream(stream)));
  }

  int index_;
  DeviceProperties properties_;
};

}  // namespace

namespace {

/// Leaves the calling thread with the device that it had.
class KeepDevice {
 public:
  KeepDevice() : known_(cudaGetDevice(&device_) == cudaSuccess) {}
  ~KeepDevice() {
    if (known_) cudaSetDevice(device_);
    cudaGetLastError();
  }
  KeepDevice(const KeepDevice&) = delete;
  KeepDevice& operator=(const KeepDevice&) = delete;

 private:
  int device_ = 0;
  bool known_;
};

}  // namespace

std::vector<Found> find_devices(std::string& why) {
  why.clear();
  std::vector<Found> devices;
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0) {
    why = status == cudaSuccess ? "no CUDA device" : cudaGetErrorString(status);
    if (status == cudaErrorInsufficientDriver) why = "no NVIDIA driver, or one that is older than this build needs";
    return devices;
  }
  const KeepDevice keep;
  for (int index = 0; index < count; ++index) {
    Found found;
    found.index = index;
    try {
      found.properties = properties_of(index);
      WEIR_CUDA(cudaSetDevice(index));
      cudaFuncAttributes attributes{};
      if (cudaFuncGetAttributes(&attributes, run<Nothing>) != cudaSuccess) {
        found.missing = found.properties.model + ": this build has no code for it (build with the preset cuda)";
        cudaGetLastError();
      }
    } catch (const DeviceError& error) {
      found.properties.name = "cuda:" + std::to_string(index);
      found.missing = error.what();
    }
    devices.push_back(found);
  }
  return devices;
}

std::unique_ptr<Device> make_device(int index) {
  return std::make_unique<CudaDevice>(index);
}

}  // namespace weir::kernels::cuda
