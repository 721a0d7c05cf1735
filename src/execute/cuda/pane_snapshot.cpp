#include "execute/cuda/pane_snapshot.hpp"

#include <exception>
#include <utility>

#include "execute/pane_codec.hpp"
#include "ops/quantile_bins.hpp"

namespace weir::execute::cuda {

state::DeferredChunk::Made PaneImage::make() {
  if (!made()) snapshot_->make_all();
  if (!made()) throw kernels::DeviceError("the device was lost before its panes were copied");
  return {readings_, bytes_};
}

PaneSnapshot::PaneSnapshot(kernels::Device& device, const plan::QueryPlan& query, const CellLayout& layout,
                           const CodeStore& codes, const MemoryPlan& planned)
    : device_(device),
      query_(query),
      layout_(layout),
      code_store_(codes),
      quantiles_(quantile_arguments(query)),
      memory_(std::make_unique<Memory>(device)) {
  const std::size_t cells = std::size_t{planned.groups} * planned.words;
  for (Stage& stage : memory_->stages) stage.cells.reserve(cells);
  memory_->cells.reserve(planned.panes * cells);
  bytes_ = memory_->bytes();
}

void PaneSnapshot::begin(std::size_t panes, std::uint32_t groups, std::vector<Codes> codes) {
  make_all();
  require_device();
  const std::scoped_lock lock(mutex_);
  memory_->cells.reserve(panes * groups * layout_.words());
  groups_ = groups;
  codes_ = std::move(codes);
  ended_ = false;
  std::uint64_t held = memory_->bytes();
  for (const Codes& each : codes_) held += 2 * each.keys.capacity() * sizeof(std::uint64_t);
  bytes_.store(held, std::memory_order_relaxed);
}

void PaneSnapshot::require_device() const {
  if (failed_.load(std::memory_order_acquire)) {
    throw kernels::DeviceError("the device was lost while a checkpoint was written");
  }
}

std::shared_ptr<PaneImage> PaneSnapshot::add(const DevicePane& pane, const kernels::Stream& compute) {
  const std::scoped_lock lock(mutex_);
  Memory& memory = *memory_;
  const std::size_t words = std::size_t{groups_} * layout_.words();
  const std::size_t bytes = words * sizeof(kernels::Word);
  const Stage& stage = memory.stages[panes_.size() % memory.stages.size()];
  kernels::Word* const here = memory.cells.data() + panes_.size() * words;
  auto image = std::make_shared<PaneImage>(shared_from_this(), pane.start);
  panes_.push_back(image);
  device_.wait(compute, stage.free);
  device_.copy_within(stage.cells.data(), pane.cells.data(), bytes, compute);
  device_.record(stage.copied, compute);
  device_.wait(memory.stream, stage.copied);
  device_.copy_to_host(here, stage.cells.data(), bytes, memory.stream);
  device_.record(stage.free, memory.stream);
  return image;
}

void PaneSnapshot::end() {
  const std::scoped_lock lock(mutex_);
  device_.record(memory_->done, memory_->stream);
  ended_ = true;
}

/// Makes all images, for they were copied together.
void PaneSnapshot::make_all() {
  const std::scoped_lock lock(mutex_);
  if (panes_.empty()) return;
  try {
    if (memory_ == nullptr || !ended_) throw kernels::DeviceError("the device was lost while its panes were copied");
    device_.synchronize(memory_->done);
  } catch (const kernels::DeviceError&) {
    failed_.store(true, std::memory_order_release);
    panes_.clear();
    throw;
  }
  for (std::size_t i = 0; i < panes_.size(); ++i) encode(i);
  panes_.clear();
  codes_.clear();
}

void PaneSnapshot::encode(std::size_t index) {
  PaneImage& image = *panes_[index];
  if (image.made()) return;
  state::SectionWriter section;
  PaneEncoder encoder(query_, section);
  encoder.pane(image.start_, 0);
  PaneGroup group;
  group.arguments.resize(query_.arguments.size());
  group.quantiles.resize(quantiles_);
  group.distincts.resize(distinct_aggregates(query_));
  const bool sketches = !group.quantiles.empty() || !group.distincts.empty();
  std::size_t next = 0;
  const std::size_t words = layout_.words();
  const kernels::Word* cell = memory_->cells.data() + index * groups_ * words;
  std::uint64_t readings = 0;
  for (std::uint32_t g = 0; g < groups_; ++g, cell += words) {
    const std::uint64_t rows = CellLayout::rows(cell);
    if (rows == 0) continue;
    readings += rows;
    layout_.read(cell, group.arguments.data());
    if (sketches) {
      group.group = g;
      group.rows = rows;
      write_codes(codes_[index], next, group);
      encoder.group(group);
    } else {
      encoder.groups(g, {&rows, 1}, group.arguments.data());
    }
  }
  encoder.finish();
  image.bytes_ = section.bytes();
  image.readings_ = readings;
  image.made_.store(true, std::memory_order_release);
}

void PaneSnapshot::write_codes(const Codes& codes, std::size_t& next, PaneGroup& group) const {
  for (auto& quantile : group.quantiles) quantile.bins.clear();
  for (auto& registers : group.distincts) registers.clear();
  for (; next < codes.keys.size(); ++next) {
    const std::uint64_t key = codes.keys[next];
    if (code_store_.group_of(key) != group.group) break;
    const std::uint32_t sketch = code_store_.sketch_of(key);
    const std::uint32_t code = CodeStore::code_of(key);
    if (sketch < quantiles_) {
      group.quantiles[sketch].bins.emplace_back(static_cast<std::int32_t>(code) - ops::kQuantileLastBin,
                                                codes.counts[next]);
      continue;
    }
    auto& registers = group.distincts[sketch - quantiles_];
    const HllRegister touched{code >> kernels::kRankBits, code & ((1U << kernels::kRankBits) - 1)};
    if (!registers.empty() && registers.back().index == touched.index) {
      registers.back().rank = touched.rank;
    } else {
      registers.push_back(touched);
    }
  }
}

void PaneSnapshot::close() noexcept {
  try {
    make_all();
  } catch (const std::exception&) {
    // Who needs an image that was not made hears of it there.
  }
  const std::scoped_lock lock(mutex_);
  panes_.clear();
  codes_.clear();
  memory_.reset();
  bytes_.store(0, std::memory_order_relaxed);
}

}  // namespace weir::execute::cuda
