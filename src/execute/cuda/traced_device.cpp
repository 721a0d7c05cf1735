#include "execute/cuda/traced_device.hpp"

#include <algorithm>
#include <tuple>

namespace weir::execute::cuda {

using kernels::Stream;

void TracedDevice::start() {
  for (const Stream& stream : streams_) device_.synchronize(stream);
  noted_.clear();
  started_ = device_.make_timed_event();
  device_.record(started_, streams_.front());
  device_.synchronize(started_);
  on_ = true;
}

std::vector<Span> TracedDevice::stop() {
  on_ = false;
  for (const Stream& stream : streams_) device_.synchronize(stream);
  std::vector<Span> spans;
  for (const Noted& noted : noted_) {
    spans.push_back({noted.name, noted.stream, device_.milliseconds(started_, noted.begin),
                     device_.milliseconds(started_, noted.end), noted.bytes});
  }
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
    return std::tie(a.stream, a.begin_ms, a.end_ms) < std::tie(b.stream, b.begin_ms, b.end_ms);
  });
  return spans;
}

template <class Work>
void TracedDevice::note(const char* name, const Stream& stream, std::uint64_t bytes, const Work& work) {
  if (!on_) {
    work();
    return;
  }
  const auto found =
      std::find_if(streams_.begin(), streams_.end(), [&](const Stream& s) { return s.handle == stream.handle; });
  Noted noted{name, static_cast<std::uint32_t>(found - streams_.begin()), bytes, device_.make_timed_event(),
              device_.make_timed_event()};
  device_.record(noted.begin, stream);
  work();
  device_.record(noted.end, stream);
  noted_.push_back(std::move(noted));
}

Stream TracedDevice::make_stream() {
  streams_.push_back(device_.make_stream());
  return streams_.back();
}

void TracedDevice::copy_to_device(void* to, const void* from, std::size_t bytes, const Stream& stream) {
  note("copy to device", stream, bytes, [&] { device_.copy_to_device(to, from, bytes, stream); });
}
void TracedDevice::copy_to_host(void* to, const void* from, std::size_t bytes, const Stream& stream) {
  note("copy to host", stream, bytes, [&] { device_.copy_to_host(to, from, bytes, stream); });
}
void TracedDevice::copy_within(void* to, const void* from, std::size_t bytes, const Stream& stream) {
  note("copy within", stream, bytes, [&] { device_.copy_within(to, from, bytes, stream); });
}
void TracedDevice::fill_zero(void* memory, std::size_t bytes, const Stream& stream) {
  note("fill", stream, bytes, [&] { device_.fill_zero(memory, bytes, stream); });
}

void TracedDevice::launch_global_step(const kernels::StepView& step, const Stream& stream) {
  note("GlobalStep", stream, 0, [&] { device_.launch_global_step(step, stream); });
}
void TracedDevice::launch_shared_step(const kernels::StepView& step, std::size_t shared_bytes, const Stream& stream) {
  note("SharedStep", stream, 0, [&] { device_.launch_shared_step(step, shared_bytes, stream); });
}
void TracedDevice::launch_sort_step(const kernels::StepView& step, const Stream& stream) {
  note("SortStep", stream, 0, [&] { device_.launch_sort_step(step, stream); });
}
void TracedDevice::launch_sorted_runs(const kernels::RunsView& runs, const Stream& stream) {
  note("SortedRuns", stream, 0, [&] { device_.launch_sorted_runs(runs, stream); });
}
void TracedDevice::launch_pairs(const kernels::StepView& step, const Stream& stream) {
  note("pairs", stream, 0, [&] { device_.launch_pairs(step, stream); });
}
void TracedDevice::launch_close(const kernels::WindowView& window, const Stream& stream) {
  note("CloseWindow", stream, 0, [&] { device_.launch_close(window, stream); });
}
void TracedDevice::launch_fold(const kernels::FoldView& fold, const Stream& stream) {
  note("FoldPanes", stream, 0, [&] { device_.launch_fold(fold, stream); });
}
void TracedDevice::launch_gather(const kernels::GatherView& gather, const Stream& stream) {
  note("GatherTotals", stream, 0, [&] { device_.launch_gather(gather, stream); });
}
void TracedDevice::launch_having(const kernels::HavingView& having, const Stream& stream) {
  note("Having", stream, 0, [&] { device_.launch_having(having, stream); });
}
void TracedDevice::launch_empty(const kernels::EmptyView& empty, const Stream& stream) {
  note("EmptyCells", stream, 0, [&] { device_.launch_empty(empty, stream); });
}
void TracedDevice::launch_find_slots(const kernels::FindSlotsView& find, const Stream& stream) {
  note("FindSlots", stream, 0, [&] { device_.launch_find_slots(find, stream); });
}
void TracedDevice::launch_strip_slots(const kernels::StripSlotsView& strip, const Stream& stream) {
  note("StripSlots", stream, 0, [&] { device_.launch_strip_slots(strip, stream); });
}
void TracedDevice::launch_subtract_codes(const kernels::SubtractCodesView& subtract, const Stream& stream) {
  note("SubtractCodes", stream, 0, [&] { device_.launch_subtract_codes(subtract, stream); });
}

void TracedDevice::exclusive_sum(const std::uint32_t* in, std::uint32_t* out, std::uint64_t size,
                                 const Stream& stream) {
  note("exclusive sum", stream, 0, [&] { device_.exclusive_sum(in, out, size, stream); });
}
void TracedDevice::sort_rows(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint32_t* rows_in,
                             std::uint32_t* rows_out, std::uint64_t size, int bits, const Stream& stream) {
  note("sort", stream, 0, [&] { device_.sort_rows(keys_in, keys_out, rows_in, rows_out, size, bits, stream); });
}
void TracedDevice::sort_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t size, int bits,
                             const Stream& stream) {
  note("sort", stream, 0, [&] { device_.sort_keys(keys_in, keys_out, size, bits, stream); });
}
void TracedDevice::count_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                              std::uint64_t* out_size, std::uint64_t size, const Stream& stream) {
  note("count by key", stream, 0, [&] { device_.count_keys(keys_in, keys_out, counts_out, out_size, size, stream); });
}
void TracedDevice::merge_counts(const kernels::CountList& a, const kernels::CountList& b, std::uint64_t* keys_out,
                                std::uint64_t* counts_out, const Stream& stream) {
  note("merge", stream, 0, [&] { device_.merge_counts(a, b, keys_out, counts_out, stream); });
}
void TracedDevice::sum_counts(const kernels::CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                              std::uint64_t* out_size, const Stream& stream) {
  note("sum by key", stream, 0, [&] { device_.sum_counts(in, keys_out, counts_out, out_size, stream); });
}
void TracedDevice::drop_zeros(const kernels::CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                              std::uint64_t* out_size, const Stream& stream) {
  note("drop zeros", stream, 0, [&] { device_.drop_zeros(in, keys_out, counts_out, out_size, stream); });
}

}  // namespace weir::execute::cuda
