#include "execute/cuda/chunk_upload.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <limits>

#include "core/decimal.hpp"

namespace weir::execute::cuda {
namespace {

constexpr std::size_t kAlignment = 256;  // what the widest loads of a warp like

/// Rows that one thread takes at a time: some ten microseconds of work.
constexpr std::uint32_t kPieceRows = 1U << 14U;

std::pair<std::int64_t, std::int64_t> range_of(const std::int64_t* values, std::uint32_t begin,
                                               std::uint32_t end) noexcept {
  std::int64_t low = values[begin];
  std::int64_t high = low;
  for (std::uint32_t i = begin; i < end; ++i) {
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
  }
  return {low, high};
}

/// The same with null as 0.
std::pair<std::int64_t, std::int64_t> value_range(const std::int64_t* values, std::uint32_t begin,
                                                  std::uint32_t end) noexcept {
  std::int64_t low = 0;
  std::int64_t high = 0;
  for (std::uint32_t i = begin; i < end; ++i) {
    const std::int64_t value = values[i] == kNullUnits ? 0 : values[i];
    low = std::min(low, value);
    high = std::max(high, value);
  }
  return {low, high};
}

constexpr std::size_t aligned(std::size_t bytes) noexcept {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

void read_fields(const ops::Program& program, ColumnNeeds& needs) {
  for (const ops::Instruction& step : program.code) {
    if (step.op == ops::Op::field) needs.fields[step.index] = true;
    if (step.op == ops::Op::key_test) needs.keys = true;
  }
}

/// Offsets from `base` in units of kUnit ns; false when one of them is no whole number.
template <std::uint64_t kUnit>
bool offsets(const std::int64_t* times, std::uint32_t rows, std::int64_t base, std::uint32_t* out) noexcept {
  std::uint64_t rest = 0;
  for (std::uint32_t i = 0; i < rows; ++i) {
    const std::uint64_t distance = static_cast<std::uint64_t>(times[i]) - static_cast<std::uint64_t>(base);
    const std::uint64_t units = distance / kUnit;
    rest |= distance - units * kUnit;
    out[i] = static_cast<std::uint32_t>(units);
  }
  return rest == 0;
}

}  // namespace

ColumnNeeds columns_of(const plan::QueryPlan& query) {
  ColumnNeeds needs;
  needs.fields.resize(query.field_places.size());
  needs.times = !query.per_batch;
  needs.keys = !query.group_keys.empty();
  read_fields(query.where, needs);
  for (const plan::Argument& argument : query.arguments) {
    if (argument.field >= 0) needs.fields[static_cast<std::size_t>(argument.field)] = true;
    read_fields(argument.program, needs);
    needs.times = needs.times || (argument.parts & (plan::kPartFirst | plan::kPartLast)) != 0;
  }
  for (const plan::Aggregate& aggregate : query.aggregates) {
    needs.keys = needs.keys || aggregate.kind == plan::AggregateKind::distinct;
  }
  return needs;
}

/// Calls work(begin, end, piece) for pieces of the rows, on the host's threads when there are several.
template <class Work>
void ChunkUpload::over_rows(std::uint32_t rows, const Work& work) const {
  const std::size_t pieces = (rows + kPieceRows - 1) / kPieceRows;
  const auto piece = [&](std::size_t i) {
    const auto begin = static_cast<std::uint32_t>(i * kPieceRows);
    work(begin, std::min(rows, begin + kPieceRows), i);
  };
  if (host_ != nullptr && pieces > 1) {
    host_->run_pieces(pieces, std::cref(piece));
  } else {
    for (std::size_t i = 0; i < pieces; ++i) piece(i);
  }
}

std::pair<std::int64_t, std::int64_t> ChunkUpload::span(const batch::Batch& batch, RowRange rows) const {
  const std::int64_t* const times = batch.times() + rows.begin;
  const std::uint32_t size = rows.end - rows.begin;
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges((size + kPieceRows - 1) / kPieceRows);
  over_rows(size, [&](std::uint32_t begin, std::uint32_t end, std::size_t piece) {
    ranges[piece] = range_of(times, begin, end);
  });
  std::pair<std::int64_t, std::int64_t> all = ranges.front();
  for (const auto& [low, high] : ranges) all = {std::min(all.first, low), std::max(all.second, high)};
  return all;
}

template <std::uint64_t kUnit>
bool ChunkUpload::try_offsets(const std::int64_t* times, std::uint32_t rows, std::int64_t base, std::int64_t newest,
                              std::uint32_t* out) const {
  const std::uint64_t widest = static_cast<std::uint64_t>(newest) - static_cast<std::uint64_t>(base);
  if (widest / kUnit > std::numeric_limits<std::uint32_t>::max() || widest % kUnit != 0) return false;
  // A few rows tell nearly always, before all of them are divided.
  if (!offsets<kUnit>(times, std::min(rows, 16U), base, out)) return false;
  std::atomic<bool> exact{true};
  over_rows(rows, [&](std::uint32_t begin, std::uint32_t end, std::size_t /*piece*/) {
    if (!offsets<kUnit>(times + begin, end - begin, base, out + begin)) exact.store(false, std::memory_order_relaxed);
  });
  return exact.load(std::memory_order_relaxed);
}

ChunkUpload::ChunkUpload(kernels::Device& device, const plan::QueryPlan& query, Backend* host)
    : device_(device),
      host_(host),
      needs_(columns_of(query)),
      copies_(device.make_stream()),
      copied_(device.make_event()),
      magnitudes_(query.field_places.size()),
      columns_(query.field_places.size()) {
  for (std::size_t i = 0; i < kStages; ++i) stages_.emplace_back(device);
}

/// Every column finds room in both widths.
ChunkUpload::StageBytes ChunkUpload::stage_bytes(const ColumnNeeds& needs, std::uint32_t rows, std::uint64_t panes) {
  const auto fields = static_cast<std::size_t>(std::count(needs.fields.begin(), needs.fields.end(), true));
  const std::size_t columns = fields + (needs.times ? 1U : 0U);
  StageBytes bytes{};
  bytes.tables =
      aligned(needs.fields.size() * sizeof(kernels::FieldColumn)) + aligned(panes * sizeof(kernels::PaneTarget));
  bytes.narrow = bytes.tables + columns * aligned(rows * sizeof(std::uint32_t));
  bytes.all = bytes.narrow + columns * aligned(rows * sizeof(std::int64_t)) +
              (needs.keys ? aligned(rows * sizeof(std::uint32_t)) : 0);
  return bytes;
}

ChunkUpload::Bytes ChunkUpload::planned_bytes(const plan::QueryPlan& query, std::uint32_t rows, std::uint64_t panes) {
  const StageBytes stage = stage_bytes(columns_of(query), rows, panes);
  return {kStages * stage.narrow, kStages * stage.all};
}

void ChunkUpload::reserve(std::uint32_t rows, std::uint64_t panes) {
  const StageBytes bytes = stage_bytes(needs_, rows, panes);
  for (Stage& stage : stages_) {
    stage.host.reserve(bytes.narrow);
    stage.memory.reserve(bytes.all);
  }
}

std::byte* ChunkUpload::place(Stage& stage, std::size_t bytes, std::size_t& offset) const noexcept {
  std::byte* const at = stage.host.data() + offset;
  offset += aligned(bytes);
  return at;
}

const void* ChunkUpload::copy_column(Stage& stage, const void* column, std::size_t bytes) {
  if (device_.properties().integrated) {
    if (const void* const here = device_.mapped(column); here != nullptr) return here;
  }
  std::byte* const to = stage.memory.data() + direct_;
  direct_ += aligned(bytes);
  device_.copy_to_device(to, column, bytes, copies_);
  return to;
}

kernels::TimeColumn ChunkUpload::encode_times(Stage& stage, const std::int64_t* times, std::uint32_t rows,
                                              std::int64_t oldest, std::int64_t newest) {
  kernels::TimeColumn column;
  if (!device_.properties().integrated) {
    const std::size_t offset = staged_;
    auto* const out = reinterpret_cast<std::uint32_t*>(stage.host.data() + offset);
    column.base = oldest;
    column.narrow = true;
    if (try_offsets<1'000'000'000>(times, rows, oldest, newest, out)) {
      column.unit = 1'000'000'000;
    } else if (try_offsets<1'000'000>(times, rows, oldest, newest, out)) {
      column.unit = 1'000'000;
    } else if (try_offsets<1'000>(times, rows, oldest, newest, out)) {
      column.unit = 1'000;
    } else {
      column.narrow = try_offsets<1>(times, rows, oldest, newest, out);
    }
    if (column.narrow) {
      place(stage, rows * sizeof(std::uint32_t), staged_);
      column.data = stage.memory.data() + offset;
      return column;
    }
  }
  column.narrow = false;
  column.data = copy_column(stage, times, rows * sizeof(std::int64_t));
  return column;
}

kernels::FieldColumn ChunkUpload::encode_field(Stage& stage, const std::int64_t* values, std::uint32_t rows,
                                               std::uint64_t& magnitude) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  // The magnitude has to be known before anything is narrowed, so this is a pass of its own.
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges((rows + kPieceRows - 1) / kPieceRows);
  over_rows(rows, [&](std::uint32_t begin, std::uint32_t end, std::size_t piece) {
    ranges[piece] = value_range(values, begin, end);
  });
  for (const auto& range : ranges) {
    low = std::min(low, range.first);
    high = std::max(high, range.second);
  }
  // The negative of a decimal is in range: the smallest int64 is null.
  magnitude = static_cast<std::uint64_t>(std::max(high, -low));
  kernels::FieldColumn column;
  column.narrow = low > std::numeric_limits<std::int32_t>::min() && high <= std::numeric_limits<std::int32_t>::max() &&
                  !device_.properties().integrated;
  if (!column.narrow) {
    column.data = copy_column(stage, values, rows * sizeof(std::int64_t));
    return column;
  }
  const std::size_t offset = staged_;
  auto* const out = reinterpret_cast<std::int32_t*>(place(stage, rows * sizeof(std::int32_t), staged_));
  over_rows(rows, [&](std::uint32_t begin, std::uint32_t end, std::size_t /*piece*/) {
    for (std::uint32_t i = begin; i < end; ++i) {
      out[i] = values[i] == kNullUnits ? kernels::kNarrowAbsent : static_cast<std::int32_t>(values[i]);
    }
  });
  column.data = stage.memory.data() + offset;
  return column;
}

kernels::ChunkView ChunkUpload::upload(const batch::Batch& batch, RowRange rows, std::int64_t oldest,
                                       std::int64_t newest, std::span<const kernels::PaneTarget> panes,
                                       const kernels::Stream& compute) {
  current_ = (current_ + 1) % kStages;
  Stage& stage = stages_[current_];
  if (stage.used) device_.synchronize(stage.released);
  const std::uint32_t size = rows.end - rows.begin;
  const std::size_t fields = needs_.fields.size();
  const StageBytes room = stage_bytes(needs_, size, panes.size());
  stage.host.reserve(room.narrow);
  stage.memory.reserve(room.all);
  staged_ = room.tables;
  direct_ = room.narrow;

  kernels::ChunkView chunk;
  chunk.rows = size;
  chunk.first_row = rows.begin;
  if (needs_.times) chunk.times = encode_times(stage, batch.times() + rows.begin, size, oldest, newest);
  if (needs_.keys) {
    chunk.keys =
        static_cast<const std::uint32_t*>(copy_column(stage, batch.keys() + rows.begin, size * sizeof(std::uint32_t)));
  }
  for (std::size_t f = 0; f < fields; ++f) {
    if (needs_.fields[f]) columns_[f] = encode_field(stage, batch.field(f) + rows.begin, size, magnitudes_[f]);
  }
  std::size_t offset = 0;
  const auto table = [&](const void* values, std::size_t bytes) {
    const std::byte* const there = stage.memory.data() + offset;
    std::byte* const here = place(stage, bytes, offset);
    if (bytes > 0) std::memcpy(here, values, bytes);
    return there;
  };
  chunk.fields =
      reinterpret_cast<const kernels::FieldColumn*>(table(columns_.data(), fields * sizeof(kernels::FieldColumn)));
  chunk.panes = reinterpret_cast<const kernels::PaneTarget*>(table(panes.data(), panes.size_bytes()));
  chunk.pane_count = static_cast<std::uint32_t>(panes.size());
  device_.copy_to_device(stage.memory.data(), stage.host.data(), staged_, copies_);
  device_.record(copied_, copies_);
  device_.wait(compute, copied_);
  return chunk;
}

void ChunkUpload::release(const kernels::Stream& compute) {
  device_.record(stages_[current_].released, compute);
  stages_[current_].used = true;
}

std::size_t ChunkUpload::host_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const Stage& stage : stages_) bytes += stage.host.bytes();
  return bytes;
}

std::size_t ChunkUpload::device_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const Stage& stage : stages_) bytes += stage.memory.bytes();
  return bytes;
}

}  // namespace weir::execute::cuda
