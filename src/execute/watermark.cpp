#include "execute/watermark.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <span>

#include "core/error.hpp"
#include "core/instant.hpp"
#include "execute/backend.hpp"

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

/// Stands in front of the number of sources, and is none. Without it each source has a largest event time only.
constexpr std::uint32_t kFormat = 0xFFFF'FF02;

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

std::vector<WatermarkTrace::Span>::const_iterator WatermarkTrace::first_span_reaching(
    std::int64_t threshold) const noexcept {
  return std::lower_bound(spans_.begin(), spans_.end(), threshold,
                          [](const Span& span, std::int64_t value) { return span.after < value; });
}

std::uint32_t WatermarkTrace::reach(std::int64_t threshold, std::uint32_t from) const noexcept {
  if (final_ < threshold) return size_ + 1;
  const auto found = first_span_reaching(threshold);
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

std::int64_t WatermarkTrace::passing(std::int64_t threshold, std::uint32_t position) const noexcept {
  const auto found = first_span_reaching(threshold);
  const Span& span = *found;
  if (span.base >= threshold) return span.base;
  const std::uint32_t end = found + 1 == spans_.end() ? size_ : (found + 1)->begin;
  return std::min(span.cap, watermark_of(own_before(span, std::min(position + 1, end)), out_of_order_));
}

std::int64_t WatermarkTrace::at(std::uint32_t position) const noexcept {
  if (position >= size_) return final_;
  const Span& span = spans_[span_of(position)];
  return std::max(span.base, std::min(span.cap, watermark_of(own_before(span, position + 1), out_of_order_)));
}

std::int64_t WatermarkTrace::newest_before(std::uint32_t position) const noexcept {
  // Of several spans that begin here, the last one knows as much as the others.
  const Span& span = spans_[span_of(std::min(position, size_))];
  const std::int64_t held = std::max(span.newest, own_before(span, std::min(position, size_)));
  const auto next = std::lower_bound(ahead_.begin(), ahead_.end(), position,
                                     [](const auto& entry, std::uint32_t row) { return entry.first < row; });
  return next == ahead_.begin() ? held : std::max(held, std::prev(next)->second);
}

WatermarkTracker::WatermarkTracker(std::size_t sources, std::int64_t out_of_order_ns)
    : sources_(sources), out_of_order_(out_of_order_ns) {}

std::int64_t WatermarkTracker::watermark(std::size_t source) const noexcept {
  return watermark_of(sources_[source].reached, out_of_order_);
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
    case batch::Tick::Kind::source_heard:
      sources_.at(tick.source).counts = true;
      lift();
      break;
    case batch::Tick::Kind::watermark:
      watermark_ = std::max(watermark_, tick.instant_ns);
      break;
    case batch::Tick::Kind::arrival_clock:
      for (SourceState& source : sources_) {
        source.reached = std::max(source.reached, std::min(source.newest, tick.instant_ns));
      }
      lift();
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

std::optional<std::size_t> WatermarkTracker::holder() const noexcept {
  std::optional<std::size_t> holder;
  std::int64_t newest = kNoWatermark;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (!sources_[i].counts) continue;
    newest = std::max(newest, watermark(i));
    if (!holder || watermark(i) < watermark(*holder)) holder = i;
  }
  return holder && watermark(*holder) < newest ? holder : std::nullopt;
}

bool WatermarkTracker::begin_anew(std::int64_t clock) {
  std::int64_t furthest = kNoWatermark;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    sources_[i].reached = std::min(sources_[i].reached, clock);
    furthest = std::max(furthest, watermark(i));
  }
  if (watermark_ <= clock) return false;
  // What readings say; the wall clock, which stood in for silent sources, was wrong.
  const bool any = std::any_of(sources_.begin(), sources_.end(), [](const SourceState& s) { return s.counts; });
  watermark_ = any ? smallest(sources_.size()) : furthest;
  return true;
}

void WatermarkTracker::hold_at_arrival(const batch::Batch& batch, WatermarkTrace& trace) const {
  trace.times_ = batch.times();
  trace.ahead_.clear();
  if (batch.ahead.empty()) return;
  trace.held_.reserve(batch.capacity());
  trace.held_.assign(batch.times(), batch.times() + batch.size());
  trace.ahead_.reserve(batch.capacity());
  std::int64_t newest = kNoWatermark;
  for (const batch::AheadRow& row : batch.ahead) {
    newest = std::max(newest, batch.times()[row.row]);
    trace.ahead_.emplace_back(row.row, newest);
    trace.held_[row.row] = std::min(batch.times()[row.row], row.arrival_ns);
  }
  trace.times_ = trace.held_.data();
}

void WatermarkTracker::advance(const batch::Batch& batch, WatermarkTrace& trace, Backend* backend) {
  const std::uint32_t size = batch.size();
  trace.new_beginning_.reset();
  if (batch.clock_set_back_ns && begin_anew(*batch.clock_set_back_ns)) {
    trace.new_beginning_ = {*batch.clock_set_back_ns, watermark_, newest_};
  }
  hold_at_arrival(batch, trace);
  trace.out_of_order_ = out_of_order_;
  trace.size_ = size;
  trace.spans_.clear();
  trace.chunk_newest_.clear();

  auto tick = batch.ticks.begin();
  auto run = batch.runs.begin();
  auto ahead = batch.ahead.begin();
  std::size_t source = 0;
  std::uint32_t row = 0;
  while (true) {
    for (; tick != batch.ticks.end() && tick->row <= row; ++tick) {
      const std::int64_t before = watermark_;
      apply(*tick);
      if (watermark_ != before) {
        // A span without rows, so that the ticks of a place are told from each other.
        WatermarkTrace::Span& lifted = trace.spans_.emplace_back();
        lifted.begin = row;
        lifted.first_chunk = trace.chunk_newest_.size();
        lifted.base = lifted.after = watermark_;
        lifted.newest = newest_;
      }
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
    span.own = state.reached;

    std::uint32_t end = size;
    if (tick != batch.ticks.end()) end = std::min(end, tick->row);
    if (run != batch.runs.end()) end = std::min(end, run->row);
    append_chunks(trace.times_ + row, end - row, backend, trace.chunk_newest_);
    for (std::size_t chunk = span.first_chunk; chunk < trace.chunk_newest_.size(); ++chunk) {
      state.reached = std::max(state.reached, trace.chunk_newest_[chunk]);
      trace.chunk_newest_[chunk] = state.reached;
    }
    state.newest = std::max(state.newest, state.reached);
    for (; ahead != batch.ahead.end() && ahead->row < end; ++ahead) {
      state.newest = std::max(state.newest, batch.times()[ahead->row]);
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
  out.u32(kFormat);
  out.u32(static_cast<std::uint32_t>(sources_.size()));
  for (const SourceState& source : sources_) {
    out.i64(source.newest);
    out.i64(source.reached);
    out.u8(source.counts ? 1 : 0);
  }
  out.i64(newest_);
  out.i64(watermark_);
}

void WatermarkTracker::load(state::Reader& in) {
  std::uint32_t saved = in.u32();
  const bool has_reached = saved == kFormat;
  if (has_reached) saved = in.u32();
  if (saved != sources_.size()) {
    throw Error("the checkpoint's watermark is of " + std::to_string(saved) + " sources, the stream has " +
                std::to_string(sources_.size()) + ": restore the list of sources, or discard the state");
  }
  for (SourceState& source : sources_) {
    source.newest = in.i64();
    source.reached = has_reached ? in.i64() : source.newest;
    source.counts = in.u8() != 0;
  }
  newest_ = in.i64();
  watermark_ = in.i64();
}

}  // namespace weir::execute
