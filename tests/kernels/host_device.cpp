#include "kernels/host_device.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <numeric>
#include <utility>
#include <vector>

#include "kernels/fibres.hpp"
#include "kernels/having.hpp"
#include "kernels/pairs.hpp"
#include "kernels/step.hpp"
#include "kernels/window.hpp"

namespace weir::kernels::host {
namespace {

/// A thread's view of the grid (kernels/block.hpp).
struct HostBlock {
  std::uint32_t block;
  std::uint32_t blocks;
  std::uint32_t thread_index;
  std::uint32_t block_threads;
  Word* memory;

  [[nodiscard]] std::uint64_t first() const { return std::uint64_t{block} * block_threads + thread_index; }
  [[nodiscard]] std::uint64_t stride() const { return std::uint64_t{blocks} * block_threads; }
  [[nodiscard]] std::uint32_t thread() const { return thread_index; }
  [[nodiscard]] std::uint32_t threads() const { return block_threads; }
  [[nodiscard]] Word* shared() const { return memory; }
  void barrier() const { fibre_barrier(); }
  void add(Word* word, std::uint32_t value) const { Shared::add(word, value); }
};

struct Queue {
  std::deque<std::function<void()>> work;
};

/// A place in a queue: done when `left` is true.
struct Mark {
  std::shared_ptr<bool> reached = std::make_shared<bool>(true);
  std::shared_ptr<std::uint64_t> when = std::make_shared<std::uint64_t>(0);
  std::weak_ptr<Queue> queue;
};

class LazyDevice final : public HostDevice {
 public:
  explicit LazyDevice(const HostDeviceOptions& options) : options_(options) {
    properties_.name = "host";
    properties_.model = "the kernels in loops";
    properties_.memory = std::uint64_t{1} << 40U;
    properties_.shared_bytes = options.shared_bytes;
    properties_.integrated = options.integrated;
  }

  [[nodiscard]] const DeviceProperties& properties() const noexcept override { return properties_; }
  [[nodiscard]] std::uint64_t allocated() const noexcept override { return locked(allocated_); }
  [[nodiscard]] std::uint64_t calls() const noexcept override { return locked(calls_); }
  [[nodiscard]] std::uint64_t allocations() const noexcept override { return locked(allocations_); }
  [[nodiscard]] std::uint64_t copied_to_host() const noexcept override { return locked(copied_to_host_); }
  [[nodiscard]] std::uint64_t synchronizations() const noexcept override { return locked(synchronizations_); }
  void lose() noexcept override {
    const std::scoped_lock lock(mutex_);
    options_.good_calls = calls_;
  }

  void* allocate(std::size_t bytes) override {
    const std::scoped_lock lock(mutex_);
    call("allocate");
    ++allocations_;
    void* const memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (memory == nullptr) throw std::bad_alloc();
    std::memset(memory, 0xA5, bytes);
    sizes_[memory] = bytes;
    allocated_ += bytes;
    return memory;
  }
  void release(void* memory) noexcept override {
    if (memory == nullptr) return;
    const std::scoped_lock lock(mutex_);
    drain();
    allocated_ -= sizes_.at(memory);
    sizes_.erase(memory);
    std::free(memory);
  }
  void* allocate_pinned(std::size_t bytes) override {
    const std::scoped_lock lock(mutex_);
    ++allocations_;
    void* const memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (memory == nullptr) throw std::bad_alloc();
    std::memset(memory, 0xA5, bytes);
    return memory;
  }
  void release_pinned(void* memory) noexcept override {
    if (memory == nullptr) return;
    const std::scoped_lock lock(mutex_);
    drain();
    std::free(memory);
  }
  const void* mapped(const void* host) override { return host; }

  Stream make_stream() override {
    const std::scoped_lock lock(mutex_);
    auto queue = std::make_shared<Queue>();
    queues_.push_back(queue);
    return {queue};
  }
  Event make_event() override { return {std::make_shared<Mark>()}; }
  // Time is the number of pieces of work that were done, a millisecond each.
  Event make_timed_event() override { return make_event(); }
  double milliseconds(const Event& from, const Event& to) override {
    const std::scoped_lock lock(mutex_);
    call("milliseconds");
    const auto when = [](const Event& event) { return *std::static_pointer_cast<Mark>(event.handle)->when; };
    return static_cast<double>(when(to)) - static_cast<double>(when(from));
  }
  void record(const Event& event, const Stream& stream) override {
    const std::scoped_lock lock(mutex_);
    call("record");
    const auto mark = std::static_pointer_cast<Mark>(event.handle);
    mark->reached = std::make_shared<bool>(false);
    mark->queue = queue_of(stream);
    mark->when = std::make_shared<std::uint64_t>(0);
    push(stream, [this, reached = mark->reached, when = mark->when] {
      *reached = true;
      *when = done_;
    });
  }
  void wait(const Stream& stream, const Event& event) override {
    const std::scoped_lock lock(mutex_);
    call("wait");
    const auto mark = std::static_pointer_cast<Mark>(event.handle);
    push(stream, [this, reached = mark->reached, queue = mark->queue] { run_until(queue.lock(), *reached); });
  }
  void synchronize(const Event& event) override {
    const std::scoped_lock lock(mutex_);
    call("synchronize");
    ++synchronizations_;
    const auto mark = std::static_pointer_cast<Mark>(event.handle);
    run_until(mark->queue.lock(), *mark->reached);
  }
  void synchronize(const Stream& stream) override {
    const std::scoped_lock lock(mutex_);
    call("synchronize");
    ++synchronizations_;
    run(*queue_of(stream));
  }

  void copy_to_device(void* to, const void* from, std::size_t bytes, const Stream& stream) override {
    copy(to, from, bytes, stream);
  }
  void copy_to_host(void* to, const void* from, std::size_t bytes, const Stream& stream) override {
    const std::scoped_lock lock(mutex_);
    copied_to_host_ += bytes;
    copy(to, from, bytes, stream);
  }
  void copy_within(void* to, const void* from, std::size_t bytes, const Stream& stream) override {
    copy(to, from, bytes, stream);
  }
  void fill_zero(void* memory, std::size_t bytes, const Stream& stream) override {
    call("fill");
    push(stream, [=] { std::memset(memory, 0, bytes); });
  }

  void launch_global_step(const StepView& step, const Stream& stream) override { launch(GlobalStep{step}, 0, stream); }
  void launch_shared_step(const StepView& step, std::size_t bytes, const Stream& stream) override {
    launch(SharedStep{step}, bytes, stream);
  }
  void launch_sort_step(const StepView& step, const Stream& stream) override { launch(SortStep{step}, 0, stream); }
  void launch_sorted_runs(const RunsView& runs, const Stream& stream) override { launch(SortedRuns{runs}, 0, stream); }
  void launch_pairs(const StepView& step, const Stream& stream) override {
    launch(ClearPairs{step}, 0, stream);
    launch(SettlePairs{step}, 0, stream);
  }
  void launch_close(const WindowView& window, const Stream& stream) override { launch(CloseWindow{window}, 0, stream); }
  void launch_fold(const FoldView& fold, const Stream& stream) override { launch(FoldPanes{fold}, 0, stream); }
  void launch_gather(const GatherView& gather, const Stream& stream) override {
    launch(GatherTotals{gather}, 0, stream);
  }
  void launch_empty(const EmptyView& empty, const Stream& stream) override { launch(EmptyCells{empty}, 0, stream); }
  void launch_select_codes(const SelectCodesView& select, const Stream& stream) override {
    launch(SelectCodes{select}, 0, stream);
  }
  void launch_having(const HavingView& having, const Stream& stream) override { launch(KeepRows{having}, 0, stream); }

  void exclusive_sum(const std::uint32_t* in, std::uint32_t* out, std::uint64_t size, const Stream& stream) override {
    call("exclusive_sum");
    push(stream, [=] { std::exclusive_scan(in, in + size, out, std::uint32_t{0}); });
  }
  void sort_rows(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint32_t* rows_in,
                 std::uint32_t* rows_out, std::uint64_t size, int bits, const Stream& stream) override {
    call("sort_rows");
    push(stream, [=] { sort(keys_in, keys_out, rows_in, rows_out, size, bits); });
  }
  void sort_counts(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint64_t* counts_in,
                   std::uint64_t* counts_out, std::uint64_t size, const Stream& stream) override {
    call("sort_counts");
    push(stream, [=] { sort(keys_in, keys_out, counts_in, counts_out, size, 64); });
  }
  void sum_counts(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint64_t* counts_in,
                  std::uint64_t* counts_out, std::uint64_t* out_size, std::uint64_t size,
                  const Stream& stream) override {
    call("sum_counts");
    push(stream, [=] {
      std::uint64_t left = 0;
      for (std::uint64_t i = 0; i < size; ++i) {
        if (i > 0 && keys_in[i] == keys_out[left - 1]) {
          counts_out[left - 1] += counts_in[i];
        } else {
          keys_out[left] = keys_in[i];
          counts_out[left++] = counts_in[i];
        }
      }
      *out_size = left;
    });
  }
  void fill_counts(std::uint64_t* out, std::uint64_t value, std::uint64_t size, const Stream& stream) override {
    call("fill_counts");
    push(stream, [=] { std::fill_n(out, size, value); });
  }

 private:
  void call(const char* what) {
    const std::scoped_lock lock(mutex_);
    if (++calls_ > options_.good_calls && calls_ - options_.good_calls <= options_.bad_calls) {
      // What a lost device had still to do never happens.
      for (const auto& queue : queues_) {
        if (const auto held = queue.lock()) held->work.clear();
      }
      throw DeviceError(std::string(what) + ": the device is lost (as the test asked for)");
    }
  }
  static std::shared_ptr<Queue> queue_of(const Stream& stream) {
    return std::static_pointer_cast<Queue>(stream.handle);
  }
  void push(const Stream& stream, std::function<void()> work) {
    const std::scoped_lock lock(mutex_);
    queue_of(stream)->work.push_back(std::move(work));
  }
  void copy(void* to, const void* from, std::size_t bytes, const Stream& stream) {
    call("copy");
    push(stream, [=] {
      if (bytes > 0) std::memcpy(to, from, bytes);
    });
  }
  void step(Queue& queue) {
    const std::function<void()> work = std::move(queue.work.front());
    queue.work.pop_front();
    work();
    ++done_;
  }
  void run(Queue& queue) {
    while (!queue.work.empty()) step(queue);
  }
  void run_until(const std::shared_ptr<Queue>& queue, const bool& reached) {
    while (queue != nullptr && !reached && !queue->work.empty()) step(*queue);
  }
  void drain() noexcept {
    for (const auto& queue : queues_) {
      if (const auto held = queue.lock()) run(*held);
    }
  }

  template <class Kernel>
  void launch(const Kernel& kernel, std::size_t shared_bytes, const Stream& stream) {
    call("launch");
    push(stream, [this, kernel, shared_bytes] {
      for (std::uint32_t block = 0; block < options_.blocks; ++block) {
        // A block's memory is exactly as large as it asked for, so a sanitizer sees the end of it.
        std::vector<Word> memory(shared_bytes / sizeof(Word), 0xA5A5'A5A5'A5A5'A5A5U);
        const auto thread = [&](std::uint32_t index) {
          HostBlock view{block, options_.blocks, index, options_.threads, memory.data()};
          kernel(view);
        };
        if constexpr (Kernel::kBarriers) {
          run_fibres(options_.threads, thread);
        } else {
          for (std::uint32_t index = 0; index < options_.threads; ++index) thread(index);
        }
      }
    });
  }

  template <class Value>
  static void sort(const std::uint64_t* keys_in, std::uint64_t* keys_out, const Value* in, Value* out,
                   std::uint64_t size, int bits) {
    const std::uint64_t mask = bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
    std::vector<std::uint64_t> order(size);
    std::iota(order.begin(), order.end(), std::uint64_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint64_t a, std::uint64_t b) { return (keys_in[a] & mask) < (keys_in[b] & mask); });
    for (std::uint64_t i = 0; i < size; ++i) {
      keys_out[i] = keys_in[order[i]];
      out[i] = in[order[i]];
    }
  }

  [[nodiscard]] std::uint64_t locked(const std::uint64_t& counter) const noexcept {
    const std::scoped_lock lock(mutex_);
    return counter;
  }

  HostDeviceOptions options_;
  DeviceProperties properties_;
  // Whoever waits does the work, also on a thread that is not the device's; work may wait for other work.
  mutable std::recursive_mutex mutex_;
  std::vector<std::weak_ptr<Queue>> queues_;
  std::map<void*, std::size_t> sizes_;
  std::uint64_t allocated_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t allocations_ = 0;
  std::uint64_t copied_to_host_ = 0;
  std::uint64_t synchronizations_ = 0;
  std::uint64_t done_ = 0;
};

}  // namespace

std::unique_ptr<HostDevice> make_host_device(const HostDeviceOptions& options) {
  return std::make_unique<LazyDevice>(options);
}

}  // namespace weir::kernels::host
