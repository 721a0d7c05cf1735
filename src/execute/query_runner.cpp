#include "execute/query_runner.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "core/instant.hpp"
#include "execute/emitter.hpp"
#include "execute/group_table.hpp"
#include "execute/pane_codec.hpp"
#include "execute/renumber.hpp"
#include "execute/revisions.hpp"

namespace weir::execute {
namespace {

constexpr std::uint8_t kFixedFormat = 1;  // still read: panes of fixed numbers
constexpr std::uint8_t kFirstCompactFormat = 2;
constexpr std::uint8_t kFormat = 3;  // says how often time, or group ids, began anew

/// A jump of the watermark that closes more windows than this is first compared with what the panes hold: that waits
/// for the backend, which single steps never do.
constexpr std::int64_t kWindowsBeforeLook = 64;

/// "no interval has ended yet"
constexpr std::int64_t kNoInterval = kEarliest;

}  // namespace

struct QueryRunner::Impl {
  Impl(const plan::Plan& plan, const plan::QueryPlan& query_plan, Backend& backend,
       const batch::KeyDictionary& dictionary)
      : query(query_plan),
        keys(dictionary),
        slide(query_plan.slide_ns),
        window(query_plan.window_ns),
        late_rows_limit(plan.spec.dead_letter.empty() ? 0 : plan.spec.dead_letter_limit),
        groups(query_plan, dictionary),
        revisions(query_plan.window_ns, query_plan.slide_ns, query_plan.max_groups),
        emitter(query_plan, groups, revisions, ledger, backend),
        panes(backend.make_panes(query_plan, emitter, extent_of(plan, query_plan))) {}

  void run(const batch::Batch& next, const WatermarkTrace& trace, std::vector<std::uint32_t>& late);
  void run_windows(const WatermarkTrace& trace);
  void run_intervals(const WatermarkTrace& trace);
  void accumulate(std::uint32_t from, std::uint32_t to);
  [[nodiscard]] bool next_threshold(std::int64_t& threshold) const noexcept;
  void advance(std::int64_t watermark, std::int64_t newest);
  void close_windows(std::int64_t new_end, std::int64_t new_expired, std::int64_t newest);
  [[nodiscard]] bool look(std::int64_t& first_start, std::int64_t& last_end);
  void close_all(std::int64_t newest);
  void emit_revisions();
  void close_interval(std::int64_t end);
  void begin_anew(const WatermarkTrace::NewBeginning& beginning);
  void begin();
  void finish();

  [[nodiscard]] std::int64_t first_end_after(std::int64_t instant) const noexcept {
    return saturating_add(floor_multiple(instant, slide), slide);
  }
  [[nodiscard]] std::int64_t last_end_of(std::int64_t instant) const noexcept {
    return floor_multiple(saturating_add(instant, window), slide);
  }

  const plan::QueryPlan& query;
  const batch::KeyDictionary& keys;
  const std::int64_t slide;
  const std::int64_t window;
  const std::size_t late_rows_limit;
  state::QueryLedger ledger;
  GroupTable groups;
  Revisions revisions;
  Emitter emitter;
  std::unique_ptr<QueryPanes> panes;
  std::uint64_t beginnings = 0;  ///< how often time, or group ids, began anew

  // Windows: multiples of the slide, or kNothingClosed.
  std::int64_t closed_end = kNothingClosed;   ///< windows that end here or before were emitted
  std::int64_t expired_end = kNothingClosed;  ///< of those, the ones that end here or before are closed for good
  bool accumulated = false;                   ///< some rows went to the backend
  // Intervals of a per-batch query.
  std::int64_t interval = 0;  ///< number of the open one; each that has rows gets a number
  bool interval_has_rows = false;
  std::int64_t interval_end = kNoInterval;  ///< where the last one ended
  std::int64_t interval_watermark = kNoWatermark;

  // The batch at hand.
  const batch::Batch* batch = nullptr;
  std::vector<std::uint32_t>* late_rows = nullptr;
  std::size_t late_rows_before = 0;
  std::uint64_t ended = 0;
  std::vector<Straggler> stragglers;
};

void QueryRunner::Impl::begin() {
  panes->begin(*batch, groups.view());
}

void QueryRunner::Impl::finish() {
  StepCounts counts;
  const std::size_t taken = late_rows->size() - late_rows_before;
  panes->finish(counts, *late_rows, late_rows_limit - std::min(late_rows_limit, taken));
  ledger.counted += counts.counted;
  ledger.filtered += counts.filtered;
  ledger.late += counts.late;
  emitter.finish();
}

void QueryRunner::Impl::run(const batch::Batch& next, const WatermarkTrace& trace, std::vector<std::uint32_t>& late) {
  batch = &next;
  late_rows = &late;
  late_rows_before = late.size();
  ended = 0;
  groups.extend(next.key_count);
  begin();
  if (trace.new_beginning()) begin_anew(*trace.new_beginning());
  if (query.per_batch) {
    run_intervals(trace);
  } else {
    run_windows(trace);
  }
  emitter.step();
  finish();
  revisions.forget(expired_end);
  ledger.delivered += next.size();
  ledger.windows += ended;
  if (!ledger.balances()) {
    throw Error("query '" + query.spec.name + "': the ledger does not balance: delivered " +
                std::to_string(ledger.delivered) + ", counted " + std::to_string(ledger.counted) + ", filtered " +
                std::to_string(ledger.filtered) + ", late " + std::to_string(ledger.late));
  }
}

void QueryRunner::Impl::run_windows(const WatermarkTrace& trace) {
  const std::uint32_t size = batch->size();
  std::uint32_t from = 0;
  while (true) {
    std::int64_t threshold = 0;
    const std::uint32_t cut = next_threshold(threshold) ? trace.reach(threshold, from) : size + 1;
    const std::uint32_t to = std::min(cut, size);
    accumulate(from, to);
    from = to;
    if (cut > size) break;
    // The row that lifts the watermark belongs to no window that ends there, so the cut may lie before it.
    advance(trace.passing(threshold, cut), trace.newest_before(cut));
  }
  if (batch->end_of_input) close_all(trace.newest_before(size));
}

void QueryRunner::Impl::accumulate(std::uint32_t from, std::uint32_t to) {
  if (from == to) return;
  accumulated = true;
  Horizon horizon;
  horizon.closed_end = closed_end;
  if (expired_end != kNothingClosed) {
    horizon.late_before = saturating_add(expired_end, slide - window);
  }
  panes->accumulate({from, to}, horizon);
  if (query.allowed_lateness_ns > 0 && closed_end != kNothingClosed) {
    stragglers.clear();
    panes->take_stragglers(stragglers);
    revisions.mark(stragglers, expired_end, closed_end);
  }
}

bool QueryRunner::Impl::next_threshold(std::int64_t& threshold) const noexcept {
  if (closed_end == kNothingClosed) {
    threshold = kNoWatermark + 1;
    return true;
  }
  // Beyond the last representable end no watermark closes anything.
  const bool closes = !__builtin_add_overflow(closed_end, slide, &threshold);
  if (query.allowed_lateness_ns == 0) return closes;
  std::int64_t expires = 0;
  if (__builtin_add_overflow(expired_end, slide, &expires) ||
      __builtin_add_overflow(expires, query.allowed_lateness_ns, &expires)) {
    return closes;
  }
  threshold = closes ? std::min(threshold, expires) : expires;
  return true;
}

void QueryRunner::Impl::advance(std::int64_t watermark, std::int64_t newest) {
  const std::int64_t new_end = floor_multiple(watermark, slide);
  const std::int64_t new_expired = floor_multiple(saturating_subtract(watermark, query.allowed_lateness_ns), slide);
  if (closed_end == kNothingClosed) {
    // The first watermark. What it passes over was never open, except where several sources had to wait for it.
    std::int64_t first_start = 0;
    std::int64_t last_end = 0;
    closed_end = new_end;
    if (accumulated && look(first_start, last_end)) {
      closed_end = std::min(new_end, saturating_subtract(first_end_after(first_start), slide));
    }
  }
  if (new_end > closed_end) close_windows(new_end, new_expired, newest);
  emitter.mark(watermark);
  expired_end = std::max(expired_end, new_expired);
  if (revisions.windows() > Revisions::windows_kept(query.allowed_lateness_ns, slide)) {
    // A batch may go on over many windows: the numbers of those that expired are no longer needed once the backend has
    // answered.
    finish();
    begin();
    revisions.forget(expired_end);
  }
}

void QueryRunner::Impl::close_windows(std::int64_t new_end, std::int64_t new_expired, std::int64_t newest) {
  emitter.step();
  emit_revisions();
  ended += (static_cast<std::uint64_t>(new_end) - static_cast<std::uint64_t>(closed_end)) /
           static_cast<std::uint64_t>(slide);

  // Windows that begin after the newest reading are empty, and so is what `look` finds no reading for. All but the last
  // one are skipped; that one tells the backend which panes are over.
  std::int64_t last = std::min(new_end, newest == kNoWatermark ? closed_end : last_end_of(newest));
  std::int64_t before_look = kWindowsBeforeLook + window / slide;
  std::int64_t end = closed_end + slide;
  std::int64_t emitted = closed_end;
  const auto close = [&](std::int64_t window_end) {
    emitter.skip_empty(emitted + slide, window_end - slide);
    emitter.expect_window(window_end);
    const std::int64_t needed_after = std::min(window_end, std::max(new_expired, expired_end));
    panes->close(window_end, saturating_add(needed_after, slide - window));
    emitted = window_end;
  };
  while (end <= last) {
    if (before_look-- == 0) {
      std::int64_t first_start = 0;
      std::int64_t last_end = 0;
      if (!look(first_start, last_end)) break;
      last = std::min(last, last_end_of(last_end - query.pane_ns));
      end = std::max(end, first_end_after(first_start));
      before_look = window / slide + 1;
      continue;
    }
    close(end);
    if (__builtin_add_overflow(end, slide, &end)) break;
  }
  if (emitted < new_end) close(new_end);
  closed_end = new_end;
}

bool QueryRunner::Impl::look(std::int64_t& first_start, std::int64_t& last_end) {
  finish();
  const bool occupied = panes->occupied(first_start, last_end);
  begin();
  return occupied;
}

void QueryRunner::Impl::close_all(std::int64_t newest) {
  emit_revisions();
  std::int64_t first_start = 0;
  std::int64_t last_end = 0;
  if (look(first_start, last_end)) {
    const std::int64_t last = last_end_of(last_end - query.pane_ns);
    if (closed_end == kNothingClosed) closed_end = saturating_subtract(first_end_after(first_start), slide);
    if (last > closed_end) close_windows(last, last, newest);
  }
  expired_end = closed_end;
}

void QueryRunner::Impl::begin_anew(const WatermarkTrace::NewBeginning& beginning) {
  if (query.per_batch) {
    interval_watermark = std::min(interval_watermark, beginning.watermark);
    return;
  }
  std::int64_t closed =
      beginning.watermark == kNoWatermark ? kNothingClosed : floor_multiple(beginning.watermark, slide);
  if (beginning.newest != kNoWatermark && beginning.newest <= beginning.clock) {
    closed = std::max(closed, last_end_of(beginning.newest));
  }
  if (closed_end <= closed) return;
  close_all(beginning.newest);
  emitter.step();
  finish();
  // Panes only ever go forward: those that go on are what a checkpoint without any would give.
  state::SectionWriter none;
  PaneEncoder(query, none, 0).finish();
  state::Reader in(none.bytes());
  panes->load(in, PaneNumbers::compact, closed, groups.groups());
  ++beginnings;
  emitter.begin_anew(beginning);
  begin();
  closed_end = expired_end = closed;
  accumulated = false;
  revisions.forget(kLatest);
}

void QueryRunner::Impl::emit_revisions() {
  revisions.take_marked([this](std::int64_t end, const std::vector<std::uint32_t>& revised) {
    emitter.expect_revision(end);
    panes->revise(end, revised);
  });
}

void QueryRunner::Impl::run_intervals(const WatermarkTrace& trace) {
  std::uint32_t from = 0;
  const auto accumulate_until = [&](std::uint32_t to) {
    if (from == to) return;
    Horizon horizon;
    horizon.closed_end = interval * slide;
    horizon.single_pane = true;
    horizon.single_pane_start = interval * slide;
    panes->accumulate({from, to}, horizon);
    interval_has_rows = true;
    from = to;
  };
  for (const batch::IntervalEnd& mark : batch->interval_ends) {
    accumulate_until(mark.row);
    close_interval(mark.end_ns);
    interval_watermark = mark.row == 0 ? interval_watermark : trace.at(mark.row - 1);
  }
  accumulate_until(batch->size());
  if (batch->end_of_input && interval_has_rows) {
    const std::int64_t from_arrival = batch->newest_arrival_ns == kEarliest
                                          ? floor_multiple(trace.newest_before(batch->size()), slide)
                                          : floor_multiple(batch->newest_arrival_ns, slide);
    const std::int64_t started = interval_end == kNoInterval ? from_arrival : std::max(from_arrival, interval_end);
    close_interval(saturating_add(started, slide));
  }
}

void QueryRunner::Impl::close_interval(std::int64_t end) {
  emitter.step();
  if (interval_end != kNoInterval) {
    emitter.skip_empty(saturating_add(interval_end, slide), saturating_subtract(end, slide));
  }
  if (interval_has_rows) {
    emitter.expect_window(end);
    ++interval;
    panes->close(interval * slide, interval * slide);
    interval_has_rows = false;
  } else {
    emitter.skip_empty(end, end);
  }
  interval_end = end;
  ++ended;
}

QueryRunner::QueryRunner(const plan::Plan& plan, const plan::QueryPlan& query, Backend& backend,
                         const batch::KeyDictionary& keys)
    : impl_(std::make_unique<Impl>(plan, query, backend, keys)) {}

QueryRunner::~QueryRunner() = default;

void QueryRunner::run(const batch::Batch& batch, const WatermarkTrace& trace, batch::ResultTable& out,
                      std::uint64_t& windows_closed, std::vector<std::uint32_t>& late_rows) {
  impl_->emitter.start(out);
  impl_->run(batch, trace, late_rows);
  windows_closed += impl_->ended;
}

void QueryRunner::set_spill(std::size_t rows, std::function<void(batch::ResultTable&)> spill) {
  impl_->emitter.set_spill(rows, std::move(spill));
}

const state::QueryLedger& QueryRunner::ledger() const noexcept {
  return impl_->ledger;
}

std::uint64_t QueryRunner::bytes() const {
  return impl_->panes->bytes() + impl_->groups.bytes() + impl_->revisions.bytes() + impl_->emitter.bytes();
}

std::int64_t QueryRunner::late_before() const noexcept {
  if (impl_->query.per_batch) {
    return impl_->interval_watermark == kNoWatermark ? kNothingClosed
                                                     : saturating_subtract(impl_->interval_watermark, impl_->window);
  }
  return impl_->expired_end == kNothingClosed ? kNothingClosed
                                              : saturating_add(impl_->expired_end, impl_->slide - impl_->window);
}

void QueryRunner::pin_keys(std::span<std::uint8_t> kept) const {
  const GroupView& view = impl_->groups.view();
  if (view.group_of == nullptr) return;
  std::vector<std::uint8_t> occupied(view.groups);
  mark_occupied(impl_->query, saved_panes(*impl_->panes), occupied);
  for (std::uint32_t key = 0; key < view.keys; ++key) {
    if (kept[key] != 0 && view.group_of[key] != kNoGroup) occupied[view.group_of[key]] = 0;
  }
  for (std::uint32_t group = 0; group < view.groups; ++group) {
    if (occupied[group] != 0) kept[impl_->groups.first_key(group)] = 1;
  }
}

void QueryRunner::renumber(std::span<const std::uint32_t> ids) {
  Impl& state = *impl_;
  const std::uint32_t before = state.groups.groups();
  std::vector<std::uint32_t> groups(before, kNoGroup);
  std::vector<std::uint32_t> old_group_of;
  const GroupView& view = state.groups.view();
  if (view.group_of == nullptr) {
    groups[0] = 0;
  } else {
    old_group_of.assign(view.group_of, view.group_of + view.keys);
  }
  std::string saved = saved_panes(*state.panes);
  state.groups.begin_anew();
  for (std::uint32_t key = 0; key < old_group_of.size(); ++key) {
    if (ids[key] != kNoKey && old_group_of[key] != kNoGroup) groups[old_group_of[key]] = view.group_of[ids[key]];
  }
  state::SectionWriter panes;
  renumber_panes(state.query, saved, groups, panes);
  saved = {};
  state::Reader in(panes.bytes());
  const std::int64_t closed = state.query.per_batch ? state.interval * state.slide : state.closed_end;
  state.panes->load(in, PaneNumbers::compact, closed, state.groups.groups());
  state.revisions.renumber(groups);
  ++state.beginnings;
}

void QueryRunner::save(state::SectionWriter& section) const {
  const Impl& state = *impl_;
  state::Writer& out = section.out();
  out.u8(kFormat);
  out.i64(state.closed_end);
  out.i64(state.expired_end);
  out.u8(state.accumulated ? 1 : 0);
  out.i64(state.interval);
  out.u8(state.interval_has_rows ? 1 : 0);
  out.i64(state.interval_end);
  out.i64(state.interval_watermark);
  out.u8(state.emitter.started() ? 1 : 0);
  out.u64(state.beginnings);
  state.ledger.save(out);
  out.u32(state.groups.groups());
  state.revisions.save(out);
  section.set_generation(state.beginnings);
  state.panes->save(section);
}

void QueryRunner::load(state::Reader& in) {
  Impl& state = *impl_;
  const unsigned format = in.u8();
  if (format < kFixedFormat || format > kFormat) {
    throw Error("query '" + state.query.spec.name + "': its state was written by a newer version of Weir: format " +
                std::to_string(format) + ", this program reads " + std::to_string(kFormat));
  }
  state.closed_end = in.i64();
  state.expired_end = in.i64();
  state.accumulated = in.u8() != 0;
  state.interval = in.i64();
  state.interval_has_rows = in.u8() != 0;
  state.interval_end = in.i64();
  state.interval_watermark = in.i64();
  state.emitter.set_started(in.u8() != 0);
  state.beginnings = format >= kFormat ? in.u64() : 0;
  state.ledger.load(in);
  const std::uint32_t groups = in.u32();
  state.groups.extend(state.keys.size());
  if (groups > state.groups.groups()) {
    throw Error("query '" + state.query.spec.name + "': the checkpoint knows " + std::to_string(groups) +
                " groups, its key dictionary only " + std::to_string(state.groups.groups()));
  }
  state.revisions.load(in, groups);
  const std::int64_t closed = state.query.per_batch ? state.interval * state.slide : state.closed_end;
  state.panes->load(in, format >= kFirstCompactFormat ? PaneNumbers::compact : PaneNumbers::fixed, closed,
                    state.groups.groups());
}

}  // namespace weir::execute
