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

#include "kernels/codes.hpp"
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
  explicit Queue(Device& its_device) : device(its_device) {}
  ~Queue() { device.release(scratch); }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  Device& device;
  std::deque<std::function<void()>> work;
  void* scratch = nullptr;
  std::uint64_t scratch_bytes = 0;
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
    properties_.memory = options.memory;
    properties_.shared_bytes = options.shared_bytes;
    properties_.integrated = options.integrated;
  }

  [[nodiscard]] const DeviceProperties& properties() const noexcept override { return properties_; }
  [[nodiscard]] std::uint64_t allocated() const noexcept override { return locked(allocated_); }
  [[nodiscard]] std::uint64_t pinned() const noexcept override { return locked(pinned_); }
  [[nodiscard]] std::uint64_t calls() const noexcept override { return locked(calls_); }
  [[nodiscard]] std::uint64_t allocations() const noexcept override { return locked(allocations_); }
  [[nodiscard]] std::uint64_t sorted() const noexcept override { return locked(sorted_); }
  [[nodiscard]] std::uint64_t copied_to_host() const noexcept override { return locked(copied_to_host_); }
  [[nodiscard]] std::uint64_t synchronizations() const noexcept override { return locked(synchronizations_); }
  void lose() noexcept override {
    const std::scoped_lock lock(mutex_);
    options_.good_calls = calls_;
  }

  void* allocate(std::size_t bytes) override {
    const std::scoped_lock lock(mutex_);
    call("allocate");
    if (allocated_ + bytes > options_.memory) {
      throw DeviceError("the device has no room for " + std::to_string(bytes) + " bytes more");
    }
    allocated_ += bytes;
    return make(bytes);
  }
  void release(void* memory) noexcept override {
    if (memory == nullptr) return;
    const std::scoped_lock lock(mutex_);
    drain();
    allocated_ -= give_back(memory);
  }
  void* allocate_pinned(std::size_t bytes) override {
    const std::scoped_lock lock(mutex_);
    pinned_ += bytes;
    return make(bytes);
  }
  void release_pinned(void* memory) noexcept override {
    if (memory == nullptr) return;
    const std::scoped_lock lock(mutex_);
    drain();
    pinned_ -= give_back(memory);
  }
  const void* mapped(const void* host) override { return host; }

  Stream make_stream() override {
    const std::scoped_lock lock(mutex_);
    auto queue = std::make_shared<Queue>(*this);
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
  void launch_find_slots(const FindSlotsView& find, const Stream& stream) override {
    launch(FindSlots{find}, 0, stream);
  }
  void launch_strip_slots(const StripSlotsView& strip, const Stream& stream) override {
    launch(StripSlots{strip}, 0, stream);
  }
  void launch_subtract_codes(const SubtractCodesView& subtract, const Stream& stream) override {
    launch(SubtractCodes{subtract}, 0, stream);
  }
  void launch_having(const HavingView& having, const Stream& stream) override { launch(KeepRows{having}, 0, stream); }

  // As CUB, algorithms want storage that grows with their size, the sorts a copy of it all.
  [[nodiscard]] std::uint64_t scratch_bytes(const AlgorithmSizes& sizes) const override {
    return std::max({in_tiles(sizes.sums), copy_of<std::uint32_t>(sizes.rows), copy_of<std::uint64_t>(sizes.keys),
                     in_tiles(sizes.counts)});
  }
  void reserve_scratch(const AlgorithmSizes& sizes, const Stream& stream) override {
    need_scratch(scratch_bytes(sizes), stream);
  }
  void exclusive_sum(const std::uint32_t* in, std::uint32_t* out, std::uint64_t size, const Stream& stream) override {
    call("exclusive_sum");
    need_scratch(in_tiles(size), stream);
    push(stream, [=] { std::exclusive_scan(in, in + size, out, std::uint32_t{0}); });
  }
  void sort_rows(const std::uint64_t* keys_in, std::uint64_t* keys_out, const std::uint32_t* rows_in,
                 std::uint32_t* rows_out, std::uint64_t size, int bits, const Stream& stream) override {
    call("sort_rows");
    need_scratch(copy_of<std::uint32_t>(size), stream);
    sorted_ += size;
    push(stream, [=] { sort(keys_in, keys_out, rows_in, rows_out, size, bits); });
  }
  void sort_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t size, int bits,
                 const Stream& stream) override {
    call("sort_keys");
    need_scratch(copy_of<std::uint64_t>(size), stream);
    sorted_ += size;
    push(stream, [=] {
      std::copy_n(keys_in, size, keys_out);
      std::stable_sort(keys_out, keys_out + size,
                       [mask = mask_of(bits)](std::uint64_t a, std::uint64_t b) { return (a & mask) < (b & mask); });
    });
  }
  void count_keys(const std::uint64_t* keys_in, std::uint64_t* keys_out, std::uint64_t* counts_out,
                  std::uint64_t* out_size, std::uint64_t size, const Stream& stream) override {
    call("count_keys");
    need_scratch(in_tiles(size), stream);
    push(stream, [=] {
      *out_size =
          sum(size, keys_out, counts_out, [=](std::uint64_t i) { return std::pair(keys_in[i], std::uint64_t{1}); });
    });
  }
  void merge_counts(const CountList& a, const CountList& b, std::uint64_t* keys_out, std::uint64_t* counts_out,
                    const Stream& stream) override {
    call("merge_counts");
    need_scratch(in_tiles(a.size + b.size), stream);
    push(stream, [=] {
      for (std::uint64_t i = 0, j = 0; i < a.size || j < b.size;) {
        const bool first = j == b.size || (i < a.size && a.keys[i] <= b.keys[j]);
        const CountList& from = first ? a : b;
        std::uint64_t& at = first ? i : j;
        keys_out[i + j] = from.keys[at];
        counts_out[i + j] = from.counts[at];
        ++at;
      }
    });
  }
  void sum_counts(const CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out, std::uint64_t* out_size,
                  const Stream& stream) override {
    call("sum_counts");
    need_scratch(in_tiles(in.size), stream);
    push(stream, [=] {
      *out_size =
          sum(in.size, keys_out, counts_out, [in](std::uint64_t i) { return std::pair(in.keys[i], in.counts[i]); });
    });
  }
  void drop_zeros(const CountList& in, std::uint64_t* keys_out, std::uint64_t* counts_out, std::uint64_t* out_size,
                  const Stream& stream) override {
    call("drop_zeros");
    need_scratch(in_tiles(in.size), stream);
    push(stream, [=] {
      std::uint64_t left = 0;
      for (std::uint64_t i = 0; i < in.size; ++i) {
        if (in.counts[i] == 0) continue;
        keys_out[left] = in.keys[i];
        counts_out[left++] = in.counts[i];
      }
      *out_size = left;
    });
  }

 private:
  static std::uint64_t in_tiles(std::uint64_t size) { return (size + 127) / 128 * sizeof(std::uint64_t); }
  template <class Value>
  static std::uint64_t copy_of(std::uint64_t size) {
    return in_tiles(size) + size * (sizeof(std::uint64_t) + sizeof(Value));
  }
  void need_scratch(std::uint64_t bytes, const Stream& stream) {
    Queue& queue = *queue_of(stream);
    if (bytes <= queue.scratch_bytes) return;
    release(std::exchange(queue.scratch, nullptr));
    queue.scratch_bytes = 0;
    queue.scratch = allocate(bytes);
    queue.scratch_bytes = bytes;
  }
  void* make(std::size_t bytes) {
    void* const memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (memory == nullptr) throw std::bad_alloc();
    ++allocations_;
    std::memset(memory, 0xA5, bytes);
    sizes_[memory] = bytes;
    return memory;
  }
  std::size_t give_back(void* memory) noexcept {
    const auto found = sizes_.find(memory);
    const std::size_t bytes = found->second;
    sizes_.erase(found);
    std::free(memory);
    return bytes;
  }
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

  static std::uint64_t mask_of(int bits) {
    return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << static_cast<unsigned>(bits)) - 1;
  }
  /// Adds up entry(i) = (key, count) of equal neighbours. @return how many keys are left
  template <class Entry>
  static std::uint64_t sum(std::uint64_t size, std::uint64_t* keys_out, std::uint64_t* counts_out, const Entry& entry) {
    std::uint64_t left = 0;
    for (std::uint64_t i = 0; i < size; ++i) {
      const auto [key, count] = entry(i);
      if (left > 0 && key == keys_out[left - 1]) {
        counts_out[left - 1] += count;
      } else {
        keys_out[left] = key;
        counts_out[left++] = count;
      }
    }
    return left;
  }

  template <class Value>
  static void sort(const std::uint64_t* keys_in, std::uint64_t* keys_out, const Value* in, Value* out,
                   std::uint64_t size, int bits) {
    const std::uint64_t mask = mask_of(bits);
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
  std::uint64_t pinned_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t allocations_ = 0;
  std::uint64_t copied_to_host_ = 0;
  std::uint64_t synchronizations_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t sorted_ = 0;
};

}  // namespace

std::unique_ptr<HostDevice> make_host_device(const HostDeviceOptions& options) {
  return std::make_unique<LazyDevice>(options);
}

}  // namespace weir::kernels::host
