#include "execute/device_bench.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "core/error.hpp"
#include "execute/cuda/cuda_backend.hpp"
#include "execute/cuda/traced_device.hpp"

namespace weir::execute {
namespace {

constexpr std::size_t kCopyBytes = std::size_t{256} << 20U;

cuda::CudaBackend& cuda_backend(Backend& backend) {
  auto* const found = dynamic_cast<cuda::CudaBackend*>(&backend);
  if (found == nullptr) throw Error(backend.name() + " is no CUDA backend");
  return *found;
}

/// Calls work(times) with more and more times until it takes so long. @return times per second
template <class Work>
double rate_of(double seconds, const Work& work) {
  for (std::uint32_t times = 1;; times *= 2) {
    const auto begin = std::chrono::steady_clock::now();
    work(times);
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (took >= seconds || times >= 1U << 30U) return times / took;
  }
}

using cuda::CudaBackend;
using Clock = std::chrono::steady_clock;

/// Closes that a median is taken of, at least.
constexpr std::size_t kFewest = 5;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// The work again and again, each time as the next pane, and the window that ends with it.
class PaneAfterPane {
 public:
  PaneAfterPane(QueryPanes& panes, const BenchWork& work) : panes_(panes), work_(work) {}

  /// @brief Rounds until as many panes are there as ever will be.
  [[nodiscard]] std::uint32_t warm_up() const { return static_cast<std::uint32_t>(work_.query.panes_per_window()) + 2; }
  void accumulate() {
    Horizon horizon;
    horizon.closed_end = round_ * work_.query.slide_ns;
    horizon.single_pane = true;
    horizon.single_pane_start = horizon.closed_end;
    for (const auto& batch : work_.batches) {
      panes_.begin(*batch, work_.groups);
      panes_.accumulate({0, batch->size()}, horizon);
    }
    ++round_;
  }
  void close() {
    const std::int64_t end = round_ * work_.query.slide_ns;
    panes_.close(end, end + work_.query.slide_ns - work_.query.window_ns);
  }
  void finish() {
    StepCounts counts;
    late_rows_.clear();
    panes_.finish(counts, late_rows_, 0);
  }

 private:
  QueryPanes& panes_;
  const BenchWork& work_;
  std::int64_t round_ = 0;
  std::vector<std::uint32_t> late_rows_;
};

/// What a stream is there for, from what it did.
std::string lane_of(const std::vector<cuda::Span>& spans, std::uint32_t stream) {
  bool in = false;
  bool out = false;
  for (const cuda::Span& span : spans) {
    if (span.stream != stream) continue;
    const std::string_view name = span.name;
    if (!name.starts_with("copy to ")) return "kernels";
    (name == "copy to host" ? out : in) = true;
  }
  return in && out ? "copies" : in ? "copies to the device" : "results";
}

class Ignore final : public WindowConsumer {
 public:
  void window(const WindowTotals& /*totals*/) override {}
};

}  // namespace

double measure_link(Backend& backend, double seconds) {
  kernels::Device& device = cuda_backend(backend).device();
  cuda::PinnedArray<std::byte> here(device);
  cuda::DeviceArray<std::byte> there(device);
  here.reserve(kCopyBytes);
  there.reserve(kCopyBytes);
  std::fill_n(here.data(), kCopyBytes, std::byte{1});
  const kernels::Stream stream = device.make_stream();
  return kCopyBytes * rate_of(seconds, [&](std::uint32_t times) {
           for (std::uint32_t i = 0; i < times; ++i) {
             device.copy_to_device(there.data(), here.data(), kCopyBytes, stream);
           }
           device.synchronize(stream);
         });
}

double measure_resident(Backend& backend, const BenchWork& work, double seconds) {
  CudaBackend& cuda = cuda_backend(backend);
  Ignore ignore;
  const batch::Batch& batch = *work.batches.front();
  const std::uint32_t rows = std::min(batch.size(), cuda.tuning().chunk_rows);
  cuda::CudaPanes panes(cuda.device(), work.query, ignore, {.panes = 1, .batch_rows = rows, .keys = work.extent.keys},
                        cuda.tuning());
  Horizon horizon;
  horizon.single_pane = true;
  panes.begin(batch, work.groups);
  panes.accumulate({0, rows}, horizon);
  panes.repeat_step(1);
  return rows * rate_of(seconds, [&](std::uint32_t times) { panes.repeat_step(times); });
}

std::vector<double> measure_close(Backend& backend, const BenchWork& work, double seconds) {
  CudaBackend& cuda = cuda_backend(backend);
  Ignore ignore;
  cuda::CudaPanes panes(cuda.device(), work.query, ignore, work.extent, cuda.tuning(), &backend);
  PaneAfterPane rounds(panes, work);
  std::vector<double> closes;
  double spent = 0.0;
  for (std::uint32_t i = 0; i < rounds.warm_up() || spent < seconds || closes.size() < kFewest; ++i) {
    rounds.accumulate();
    panes.repeat_step(0);  // waits for what is queued
    const auto begin = Clock::now();
    rounds.close();
    panes.repeat_step(0);
    const double took = seconds_since(begin);
    rounds.finish();
    if (i < rounds.warm_up()) continue;
    spent += took;
    closes.push_back(took);
  }
  return closes;
}

std::vector<TimelineSpan> trace_timeline(Backend& backend, const BenchWork& work, std::uint32_t rounds_wanted) {
  CudaBackend& cuda = cuda_backend(backend);
  Ignore ignore;
  cuda::TracedDevice device(cuda.device());
  cuda::CudaPanes panes(device, work.query, ignore, work.extent, cuda.tuning(), &backend);
  PaneAfterPane rounds(panes, work);
  for (std::uint32_t i = 0; i < rounds.warm_up(); ++i) {
    rounds.accumulate();
    rounds.close();
    rounds.finish();
  }
  std::vector<TimelineSpan> timeline;
  device.start();
  const auto begin = Clock::now();
  const auto host = [&](const char* name, const auto& call) {
    const double from = seconds_since(begin);
    call();
    timeline.push_back({"host", name, from * 1e3, seconds_since(begin) * 1e3, 0});
  };
  for (std::uint32_t i = 0; i < rounds_wanted; ++i) {
    host("narrow and queue", [&] { rounds.accumulate(); });
    host("queue the close", [&] { rounds.close(); });
    host("wait and read totals", [&] { rounds.finish(); });
  }
  const std::vector<cuda::Span> spans = device.stop();
  for (const cuda::Span& span : spans) {
    timeline.push_back({lane_of(spans, span.stream), span.name, span.begin_ms, span.end_ms, span.bytes});
  }
  return timeline;
}

}  // namespace weir::execute
