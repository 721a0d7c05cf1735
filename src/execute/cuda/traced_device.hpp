// A device that notes what another one does and when: for the timeline of `weir bench gpu`.
//
// Everything that is queued gets a timed event before and one behind it in its stream. That costs some microseconds
// each, so rates are measured without. Used by one thread, as any device.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernels/launch/device.hpp"

namespace weir::execute::cuda {

/// Something that a stream did.
struct Span {
  const char* name = "";
  std::uint32_t stream = 0;  ///< in the order in which streams were made
  double begin_ms = 0.0;     ///< since start()
  double end_ms = 0.0;
  std::uint64_t bytes = 0;  ///< of a copy
};

class TracedDevice final : public kernels::Device {
 public:
  /// @param device outlives this one, and everything made through it
  explicit TracedDevice(kernels::Device& device) : device_(device) {}

  /// @brief From now on. The device is idle.
  void start();
  /// @brief What was done since start(), by stream and time; waits for the device, and stops.
  std::vector<Span> stop();

  [[nodiscard]] const kernels::DeviceProperties& properties() const noexcept override { return device_.properties(); }
  void* allocate(std::size_t bytes) override { return device_.allocate(bytes); }
  void release(void* memory) noexcept override { device_.release(memory); }
  void* allocate_pinned(std::size_t bytes) override { return device_.allocate_pinned(bytes); }
  void release_pinned(void* memory) noexcept override { device_.release_pinned(memory); }
  const void* mapped(const void* host) override { return device_.mapped(host); }

  kernels::Stream make_stream() override;
  kernels::Event make_event() override { return device_.make_event(); }
  kernels::Event make_timed_event() override { return device_.make_timed_event(); }
  double milliseconds(const kernels::Event& from, const kernels::Event& to) override {
    return device_.milliseconds(from, to);
  }
  void record(const kernels::Event& event, const kernels::Stream& stream) override { device_.record(event, stream); }
  void wait(const kernels::Stream& stream, const kernels::Event& event) override { device_.wait(stream, event); }
  void synchronize(const kernels::Event& event) override { device_.synchronize(event); }
  void synchronize(const kernels::Stream& stream) override { device_.synchronize(stream); }

  void copy_to_device(void* to, const void* from, std::size_t bytes, const kernels::Stream& stream) override;
  void copy_to_host(void* to, const void* from, std::size_t bytes, const kernels::Stream& stream) override;
  void copy_within(void* to, const void* from, std::size_t bytes, const kernels::Stream& stream) override;
  void fill_zero(void* memory, std::size_t bytes, const kernels::Stream& stream) override;

  void launch_global_step(const kernels::StepView& step, const kernels::Stream& stream) override;
  void launch_shared_step(const kernels::StepView& step, std::size_t shared_bytes,
                          const kernels::Stream& stream) override;
  void launch_sort_step(const kernels::StepView& step, const kernels::Stream& stream) override;
  void launch_sorted_runs(const kernels::RunsView& runs, const kernels::Stream& stream) override;
  void launch_pairs(const kernels::StepView& step, const kernels::Stream& stream) override;
  void launch_close(const kernels::WindowView& window, const kernels::Stream& stream) override;
  void launch_fold(const kernels::FoldView& fold, const kernels::Stream& stream) override;
  void launch_gather(const kernels::GatherView& gather, const kernels::Stream& stream) override;
  void launch_having(const kernels::HavingView& having, const kernels::Stream& stream) override;
  void launch_empty(const kernels::EmptyView& empty, const kernels::Stream& stream) override;
  void launch_find_slots(const kernels::FindSlotsView& find, const kernels::Stream& stream) override;
  void launch_strip_slots(const kernels::StripSlotsView& strip, const kernels::Stream& stream) override;
  void launch_subtract_codes(const kernels::SubtractCodesView& subtract, const kernels::Stream& stream) override;

  [[nodiscard]] std::uint64_t scratch_bytes(const kernels::AlgorithmSizes& sizes) const override {
    return device_.scratch_bytes(sizes);
  }
  void reserve_scratch(const kernels::AlgorithmSizes& sizes, const kernels::Stream& stream) override {
    device_.reserve_scratch(sizes, stream);
  }
  void exclusive_sum(const std::uint32_t* in, std::uint32_t* out, std::uint64_t size,
                     const kernels::Stream& stream) override;
  void sort_rows(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint32_t* rows_in,
                 std::uint32_t* rows_out, std::uint64_t size, int bits, const kernels::Stream& stream) override;
  void sort_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t size, int bits,
                 const kernels::Stream& stream) override;
  void count_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                  std::uint64_t* out_size, std::uint64_t size, const kernels::Stream& stream) override;
  void merge_counts(const kernels::CountList& a, const kernels::CountList& b, std::uint64_t* keys_out,
                    std::uint64_t* counts_out, const kernels::Stream& stream) override;
  void sum_counts(const kernels::CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                  std::uint64_t* out_size, const kernels::Stream& stream) override;
  void drop_zeros(const kernels::CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                  std::uint64_t* out_size, const kernels::Stream& stream) override;

 private:
  struct Noted {
    const char* name;
    std::uint32_t stream;
    std::uint64_t bytes;
    kernels::Event begin;
    kernels::Event end;
  };
  template <class Work>
  void note(const char* name, const kernels::Stream& stream, std::uint64_t bytes, const Work& work);

  kernels::Device& device_;
  std::vector<kernels::Stream> streams_;
  bool on_ = false;
  kernels::Event started_;
  std::vector<Noted> noted_;
};

}  // namespace weir::execute::cuda
