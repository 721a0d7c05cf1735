#include "execute/watermark.hpp"

#include <algorithm>
#include <functional>
#include <span>

#include "core/error.hpp"
#include "execute/backend.hpp"
#include "execute/instant.hpp"

namespace weir::execute {
namespace {

// Several accumulators, or each maximum would wait for the one before it.
__attribute__((always_inline)) inline std::int64_t largest_of(const std::int64_t* times, std::uint32_t count) noexcept {
  constexpr std::uint32_t kLanes = 8;
  std::int64_t lanes[kLanes];
  std::fill(lanes, lanes + kLanes, kEarliest);
  std::uint32_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] = times[i + lane] > lanes[lane] ? times[i + lane] : lanes[lane];
    }
  }
  std::int64_t result = *std::max_element(lanes, lanes + kLanes);
  for (; i < count; ++i) {
    result = std::max(result, times[i]);
  }
  return result;
}

std::int64_t largest_portable(const std::int64_t* times, std::uint32_t count) noexcept {
  return largest_of(times, count);
}

#if defined(__x86_64__)
// The baseline of x86-64 has no 64-bit vector comparison.
__attribute__((target("avx2"))) std::int64_t largest_avx2(const std::int64_t* times, std::uint32_t count) noexcept {
  return largest_of(times, count);
}
#endif

using Largest = std::int64_t (*)(const std::int64_t*, std::uint32_t) noexcept;

Largest choose_largest() noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return largest_avx2;
#endif
  return largest_portable;
}

const Largest largest = choose_largest();

/// Chunks that are worth another thread: some microseconds, for the times come from memory.
constexpr std::uint32_t kChunksPerPiece = 16;

/// kNoWatermark only for a source without readings: a defined watermark stays above it.
std::int64_t watermark_of(std::int64_t newest, std::int64_t out_of_order) noexcept {
  if (newest == kNoWatermark) return kNoWatermark;
  return std::max(saturating_subtract(newest, out_of_order), kNoWatermark + 1);
}

}  // namespace

std::size_t WatermarkTrace::span_of(std::uint32_t position) const noexcept {
  const auto next = std::upper_bound(spans_.begin(), spans_.end(), position,
                                     [](std::uint32_t row, const Span& span) { return row < span.begin; });
  return static_cast<std::size_t>(next - spans_.begin()) - 1;
}

std::int64_t WatermarkTrace::own_before(const Span& span, std::uint32_t position) const noexcept {
  const std::uint32_t chunk = (position - span.begin) / kChunk;
  const std::uint32_t scan_from = span.begin + chunk * kChunk;
  const std::int64_t before = chunk == 0 ? span.own : chunk_newest_[span.first_chunk + chunk - 1];
  return std::max(before, largest(times_ + scan_from, position - scan_from));
}

std::uint32_t WatermarkTrace::reach(std::int64_t threshold, std::uint32_t from) const noexcept {
  if (final_ < threshold) return size_ + 1;
  const auto found = std::lower_bound(spans_.begin(), spans_.end(), threshold,
                                      [](const Span& span, std::int64_t value) { return span.after < value; });
  const Span& span = *found;
  if (span.base >= threshold) return std::max(span.begin, from);
  // Below the cap and above the base the watermark follows the source's own times.
  const std::int64_t needed = threshold <= kNoWatermark + 1 ? kEarliest : saturating_add(threshold, out_of_order_);
  const std::uint32_t end = found + 1 == spans_.end() ? size_ : (found + 1)->begin;
  const std::size_t chunks = (end - span.begin + kChunk - 1) / kChunk;
  const auto first = chunk_newest_.begin() + static_cast<std::ptrdiff_t>(span.first_chunk);
  const auto chunk = std::lower_bound(first, first + static_cast<std::ptrdiff_t>(chunks), needed);
  std::uint32_t row = span.begin + static_cast<std::uint32_t>(chunk - first) * kChunk;
  if (row + kChunk <= from) return from;
  while (row < end && times_[row] < needed) {
    ++row;
  }
  return std::max(row, from);
}

std::int64_t WatermarkTrace::at(std::uint32_t position) const noexcept {
  if (position >= size_) return final_;
  const Span& span = spans_[span_of(position)];
  return std::max(span.base, std::min(span.cap, watermark_of(own_before(span, position + 1), out_of_order_)));
}

std::int64_t WatermarkTrace::newest_before(std::uint32_t position) const noexcept {
  // Of several spans that begin here, the last one knows as much as the others.
  const Span& span = spans_[span_of(std::min(position, size_))];
  return std::max(span.newest, own_before(span, std::min(position, size_)));
}

WatermarkTracker::WatermarkTracker(std::size_t sources, std::int64_t out_of_order_ns)
    : sources_(sources), out_of_order_(out_of_order_ns) {}

std::int64_t WatermarkTracker::watermark(std::size_t source) const noexcept {
  return watermark_of(sources_[source].newest, out_of_order_);
}

std::int64_t WatermarkTracker::smallest(std::size_t except) const noexcept {
  std::int64_t result = kLatest;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].counts && i != except) result = std::min(result, watermark(i));
  }
  return result;
}

void WatermarkTracker::lift() {
  const bool any = std::any_of(sources_.begin(), sources_.end(), [](const SourceState& s) { return s.counts; });
  if (any) watermark_ = std::max(watermark_, smallest(sources_.size()));
}

void WatermarkTracker::apply(const batch::Tick& tick) {
  switch (tick.kind) {
    case batch::Tick::Kind::source_idle:
    case batch::Tick::Kind::source_finished:
      sources_.at(tick.source).counts = false;
      lift();
      break;
    case batch::Tick::Kind::watermark:
      watermark_ = std::max(watermark_, tick.watermark_ns);
      break;
  }
}

void WatermarkTracker::append_chunks(const std::int64_t* times, std::uint32_t count, Backend* backend,
                                     std::vector<std::int64_t>& out) {
  constexpr std::uint32_t kChunk = WatermarkTrace::kChunk;
  const std::uint32_t chunks = (count + kChunk - 1) / kChunk;
  const std::size_t first = out.size();
  out.resize(first + chunks);
  std::int64_t* const newest = out.data() + first;
  const auto piece = [=](std::size_t i) {
    const std::uint32_t end = std::min(static_cast<std::uint32_t>(i + 1) * kChunksPerPiece, chunks);
    for (auto chunk = static_cast<std::uint32_t>(i) * kChunksPerPiece; chunk < end; ++chunk) {
      newest[chunk] = largest(times + chunk * kChunk, std::min(count - chunk * kChunk, kChunk));
    }
  };
  const std::size_t pieces = (chunks + kChunksPerPiece - 1) / kChunksPerPiece;
  if (backend != nullptr && pieces > 1) {
    backend->run_pieces(pieces, std::cref(piece));
  } else {
    for (std::size_t i = 0; i < pieces; ++i) piece(i);
  }
}

void WatermarkTracker::advance(const batch::Batch& batch, WatermarkTrace& trace, Backend* backend) {
  const std::uint32_t size = batch.size();
  trace.times_ = batch.times();
  trace.out_of_order_ = out_of_order_;
  trace.size_ = size;
  trace.spans_.clear();
  trace.chunk_newest_.clear();

  auto tick = batch.ticks.begin();
  auto run = batch.runs.begin();
  std::size_t source = 0;
  std::uint32_t row = 0;
  while (true) {
    for (; tick != batch.ticks.end() && tick->row <= row; ++tick) {
      apply(*tick);
    }
    for (; run != batch.runs.end() && run->row <= row; ++run) {
      source = run->source;
    }
    WatermarkTrace::Span span;
    span.begin = row;
    span.first_chunk = trace.chunk_newest_.size();
    span.newest = newest_;
    if (row == size) {
      span.base = span.after = watermark_;
      trace.spans_.push_back(span);
      break;
    }
    SourceState& state = sources_.at(source);
    if (!state.counts) {
      state.counts = true;
      lift();
    }
    span.base = watermark_;
    span.cap = smallest(source);
    span.own = state.newest;

    std::uint32_t end = size;
    if (tick != batch.ticks.end()) end = std::min(end, tick->row);
    if (run != batch.runs.end()) end = std::min(end, run->row);
    append_chunks(batch.times() + row, end - row, backend, trace.chunk_newest_);
    for (std::size_t chunk = span.first_chunk; chunk < trace.chunk_newest_.size(); ++chunk) {
      state.newest = std::max(state.newest, trace.chunk_newest_[chunk]);
      trace.chunk_newest_[chunk] = state.newest;
    }
    newest_ = std::max(newest_, state.newest);
    watermark_ = std::max(watermark_, std::min(span.cap, watermark(source)));
    span.after = watermark_;
    trace.spans_.push_back(span);
    row = end;
  }
  trace.final_ = watermark_;
}

void WatermarkTracker::save(state::Writer& out) const {
  out.u32(static_cast<std::uint32_t>(sources_.size()));
  for (const SourceState& source : sources_) {
    out.i64(source.newest);
    out.u8(source.counts ? 1 : 0);
  }
  out.i64(newest_);
  out.i64(watermark_);
}

void WatermarkTracker::load(state::Reader& in) {
  if (const std::uint32_t saved = in.u32(); saved != sources_.size()) {
    throw Error("the checkpoint's watermark is of " + std::to_string(saved) + " sources, the stream has " +
                std::to_string(sources_.size()) + ": restore the list of sources, or discard the state");
  }
  for (SourceState& source : sources_) {
    source.newest = in.i64();
    source.counts = in.u8() != 0;
  }
  newest_ = in.i64();
  watermark_ = in.i64();
}

}  // namespace weir::execute
