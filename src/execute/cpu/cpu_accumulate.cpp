#include <algorithm>
#include <bit>
#include <utility>

#include "core/decimal.hpp"
#include "core/instant.hpp"
#include "execute/cpu/worker.hpp"
#include "ops/evaluate.hpp"
#include "ops/units.hpp"

namespace weir::execute::cpu {
namespace {

/// Beyond so many bytes of cells a scattered write misses the near caches, and asking ahead pays.
constexpr std::size_t kNearCache = std::size_t{512} << 10;

/// Whether all times lie in [low, high]. A difference that wraps is caught by the other one: if time is so far below
/// low that time - low wraps to a positive number, high - time wraps to a negative one. Only subtractions and ors,
/// which every vector unit has, unlike comparisons of 64 bits.
bool all_within(const std::int64_t* times, std::uint32_t size, std::int64_t low, std::int64_t high) noexcept {
  const auto from = static_cast<std::uint64_t>(low);
  const auto to = static_cast<std::uint64_t>(high);
  std::uint64_t outside = 0;
  for (std::uint32_t i = 0; i < size; ++i) {
    const auto time = static_cast<std::uint64_t>(times[i]);
    outside |= (time - from) | (to - time);
  }
  return outside >> 63U == 0;
}

}  // namespace

std::int64_t CpuPanes::pane_start(std::int64_t time) const noexcept {
  return floor_multiple(time, query_.pane_ns);
}

bool CpuPanes::in_gap(std::int64_t start) const noexcept {
  if (query_.slide_ns <= query_.window_ns) return false;
  const std::int64_t rest = floor_mod(start, query_.slide_ns) + query_.window_ns % query_.slide_ns;
  return rest % query_.slide_ns >= query_.window_ns;
}

void CpuPanes::accumulate(RowRange rows, const Horizon& horizon) {
  const std::uint32_t size = rows.end - rows.begin;
  if (size == 0) return;
  const std::uint32_t piece = piece_rows(size);
  for (const auto& worker : scratch_) worker->pane = nullptr;
  workers_.run((size + piece - 1) / piece, [&](unsigned id, std::size_t number) {
    const std::uint32_t begin = rows.begin + static_cast<std::uint32_t>(number) * piece;
    accumulate_rows(*scratch_[id], {begin, begin + std::min(piece, rows.end - begin)}, horizon);
  });
  const std::size_t late_before = late_rows_.size();
  for (const auto& worker : scratch_) {
    for (const std::uint32_t row : worker->deferred) add_deferred(*scratch_[0], row, horizon);
    worker->deferred.clear();
    counts_.counted += std::exchange(worker->counts.counted, 0);
    counts_.filtered += std::exchange(worker->counts.filtered, 0);
    counts_.late += std::exchange(worker->counts.late, 0);
    late_rows_.insert(late_rows_.end(), worker->late_rows.begin(), worker->late_rows.end());
    worker->late_rows.clear();
  }
  std::sort(late_rows_.begin() + static_cast<std::ptrdiff_t>(late_before), late_rows_.end());
}

/// Rows of one piece of the work: whole chunks, and some pieces for each thread, so that one that comes late finds
/// less to do.
std::uint32_t CpuPanes::piece_rows(std::uint32_t rows) const noexcept {
  if (workers_.threads() == 1 || rows / tuning_.rows_per_worker < 2) return rows;
  return (tuning_.rows_per_worker / 2 + kChunk - 1) / kChunk * kChunk;
}

void CpuPanes::accumulate_rows(Worker& worker, RowRange rows, const Horizon& horizon) {
  for (std::uint32_t first = rows.begin; first < rows.end; first += kChunk) {
    accumulate_chunk(worker, first, std::min(kChunk, rows.end - first), horizon);
  }
}

void CpuPanes::accumulate_chunk(Worker& worker, std::uint32_t first, std::uint32_t rows, const Horizon& horizon) {
  std::uint32_t size = rows;
  const std::uint32_t* selected = nullptr;
  if (!filter_.all()) {
    size = filter_.select(input_, first, rows, worker.registers, worker.selected.data());
    if (size < rows) selected = worker.selected.data();
  }
  worker.first = first;
  size = find_groups(worker, first, size, selected);
  worker.counts.filtered += rows - size;
  if (size == 0) return;
  derive_columns(worker, first, rows);

  if (horizon.single_pane) {
    deposit(worker, horizon.single_pane_start, selected, nullptr, size);
    return;
  }
  const std::int64_t* const times = input_times(first);
  // Nearly always the whole chunk belongs to the pane of the one before.
  if (worker.pane == nullptr || !all_within(times, rows, worker.pane_start, worker.pane_last)) {
    const std::int64_t start = pane_start(times[0]);
    const std::int64_t last = saturating_add(start, query_.pane_ns - 1);
    if (start < open_from(horizon) || in_gap(start) || !all_within(times, rows, start, last)) {
      split(worker, horizon, selected, size);
      return;
    }
    deposit(worker, start, selected, nullptr, size);
    return;
  }
  deposit(worker, worker.pane_start, selected, nullptr, size);
}

std::uint32_t CpuPanes::find_groups(Worker& worker, std::uint32_t first, std::uint32_t size,
                                    const std::uint32_t*& selected) {
  const std::uint32_t* const keys = input_.keys + first;
  if (view_.group_of == nullptr) {
    worker.position_groups = nullptr;
    return size;
  }
  if (identity_ && selected == nullptr) {
    worker.position_groups = keys;
    return size;
  }
  worker.position_groups = worker.groups.data();
  if (identity_) {
    for (std::uint32_t i = 0; i < size; ++i) worker.groups[i] = keys[selected[i]];
    return size;
  }
  const std::uint32_t* const group_of = view_.group_of;
  bool none = false;
  for (std::uint32_t i = 0; i < size; ++i) {
    const std::uint32_t group = group_of[keys[selected == nullptr ? i : selected[i]]];
    worker.groups[i] = group;
    none |= group == kNoGroup;
  }
  if (!none) return size;
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < size; ++i) {
    if (worker.groups[i] == kNoGroup) continue;
    worker.groups[kept] = worker.groups[i];
    worker.selected[kept] = selected == nullptr ? i : selected[i];
    ++kept;
  }
  selected = worker.selected.data();
  return kept;
}

void CpuPanes::derive_columns(Worker& worker, std::uint32_t first, std::uint32_t rows) {
  for (std::size_t a = 0; a < query_.arguments.size(); ++a) {
    const plan::Argument& argument = query_.arguments[a];
    if (argument.field >= 0) {
      worker.values[a] = fields_[static_cast<std::size_t>(argument.field)] + first;
      continue;
    }
    const double* const result = ops::evaluate_columns(argument.program, input_, first, rows, worker.registers);
    const double scale = argument_scales_[a];
    std::int64_t* const units = worker.derived[a].data();
    for (std::uint32_t i = 0; i < rows; ++i) units[i] = ops::double_to_units(result[i], scale);
    worker.values[a] = units;
  }
}

void CpuPanes::split(Worker& worker, const Horizon& horizon, const std::uint32_t* selected, std::uint32_t size) {
  const std::int64_t* const times = input_times(worker.first);
  const std::int64_t open = open_from(horizon);
  worker.slot_rows.fill(0);
  std::uint32_t done = 0;  // positions before it went to their panes
  std::size_t slot = kSlots;
  for (std::uint32_t i = 0; i < size; ++i) {
    const std::uint32_t offset = selected == nullptr ? i : selected[i];
    const std::int64_t time = times[offset];
    worker.slot_of[i] = kNoSlot;
    if (slot == kSlots || time < worker.slot_start[slot] || time - worker.slot_start[slot] >= query_.pane_ns) {
      const std::int64_t start = pane_start(time);
      slot = kSlots;
      if (in_gap(start)) {
        ++worker.counts.filtered;
        continue;
      }
      if (time < horizon.late_before) {
        ++worker.counts.late;
        worker.late_rows.push_back(worker.first + offset);
        continue;
      }
      if (start < open) {
        ++worker.counts.counted;
        worker.deferred.push_back(worker.first + offset);
        continue;
      }
      slot = static_cast<std::uint64_t>(start / query_.pane_ns) % kSlots;
      if (worker.slot_rows[slot] > 0 && worker.slot_start[slot] != start) {
        flush(worker, selected, done, i);
        done = i;
      }
      worker.slot_start[slot] = start;
    }
    worker.slot_of[i] = static_cast<std::uint8_t>(slot);
    ++worker.slot_rows[slot];
  }
  flush(worker, selected, done, size);
}

void CpuPanes::flush(Worker& worker, const std::uint32_t* selected, std::uint32_t begin, std::uint32_t end) {
  std::array<std::uint32_t, kSlots> next;
  std::uint32_t total = 0;
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    next[slot] = total;
    total += worker.slot_rows[slot];
  }
  for (std::uint32_t i = begin; i < end; ++i) {
    if (worker.slot_of[i] != kNoSlot) worker.positions[next[worker.slot_of[i]]++] = i;
  }
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    const std::uint32_t rows = std::exchange(worker.slot_rows[slot], 0);
    if (rows == 0) continue;
    deposit(worker, worker.slot_start[slot], selected, worker.positions.data() + next[slot] - rows, rows);
  }
}

Pane* CpuPanes::writable(Worker& worker, std::int64_t start, std::uint32_t rows) {
  if (worker.pane != nullptr && worker.pane_start == start && worker.pane->rows + rows <= tuning_.pane_rows) {
    return worker.pane;
  }
  std::unique_lock<std::mutex> lock(panes_mutex_, std::defer_lock);
  if (workers_.threads() > 1) lock.lock();
  bool made = false;
  Pane* pane = &panes_.at(start, worker.id == 0 ? groups_ : 0, made);
  if (worker.id == 0) {
    if (pane->rows + rows > tuning_.pane_rows) pane = &panes_.add_layer(start, groups_);
  } else {
    if (pane->shadows.empty()) pane->shadows.resize(workers_.threads() - 1);
    std::unique_ptr<Pane>& shadow = pane->shadows[worker.id - 1];
    if (shadow != nullptr && shadow->rows + rows > tuning_.pane_rows) {
      panes_.insert(std::exchange(shadow, nullptr));
      --worker.shadows;
    }
    if (shadow == nullptr) {
      if (worker.shadows == tuning_.shadows_per_worker) return nullptr;
      shadow = panes_.take_shadow(start, groups_);
      ++worker.shadows;
    } else {
      panes_.ensure(*shadow, groups_);
    }
    pane = shadow.get();
  }
  worker.pane = pane;
  worker.pane_start = start;
  worker.pane_last = saturating_add(start, query_.pane_ns - 1);
  return pane;
}

void CpuPanes::deposit(Worker& worker, std::int64_t start, const std::uint32_t* selected,
                       const std::uint32_t* positions, std::uint32_t size) {
  worker.counts.counted += size;
  Pane* const pane = writable(worker, start, size);
  const auto offset_of = [&](std::uint32_t i) {
    const std::uint32_t position = positions == nullptr ? i : positions[i];
    return selected == nullptr ? position : selected[position];
  };
  if (pane == nullptr) {
    for (std::uint32_t i = 0; i < size; ++i) worker.deferred.push_back(worker.first + offset_of(i));
    return;
  }
  RowSet rows;
  rows.size = size;
  rows.nulls = nulls_;
  rows.prefetch = std::size_t{groups_} * cell_bytes_ > kNearCache;
  const std::int64_t* const times = input_times(worker.first);
  const std::uint32_t* keys = input_.keys + worker.first;
  if (selected == nullptr && positions == nullptr) {
    rows.groups = worker.position_groups;
    rows.times = times;
    rows.values = worker.values.data();
  } else {
    const std::uint32_t* offsets = selected;
    if (positions != nullptr) {
      for (std::uint32_t i = 0; i < size; ++i) worker.offsets[i] = offset_of(i);
      offsets = worker.offsets.data();
    }
    rows.groups = worker.position_groups;
    if (rows.groups != nullptr && positions != nullptr) {
      for (std::uint32_t i = 0; i < size; ++i) worker.pane_groups[i] = rows.groups[positions[i]];
      rows.groups = worker.pane_groups.data();
    }
    for (std::size_t a = 0; a < worker.values.size(); ++a) {
      std::int64_t* const gathered = worker.gathered[a].data();
      for (std::uint32_t i = 0; i < size; ++i) gathered[i] = worker.values[a][offsets[i]];
      worker.columns[a] = gathered;
    }
    rows.values = worker.columns.data();
    if (needs_times_) {
      for (std::uint32_t i = 0; i < size; ++i) worker.pane_times[i] = times[offsets[i]];
      rows.times = worker.pane_times.data();
    }
    if (needs_keys_) {
      for (std::uint32_t i = 0; i < size; ++i) worker.pane_keys[i] = keys[offsets[i]];
      keys = worker.pane_keys.data();
    }
  }
  scatter(*pane, rows, keys);
}

void CpuPanes::scatter(Pane& pane, RowSet& rows, const std::uint32_t* keys) const {
  rows.wide = &pane.wide;
  pane.rows += rows.size;
  pane.nulls = pane.nulls || rows.nulls;
  for (std::size_t s = 0; s < sections_.size(); ++s) sections_[s]->scatter(pane.raw(s), rows);
  for (std::size_t k = 0; k < sketches_.size(); ++k) {
    sketches_[k].scatter(pane.codes[k], rows, keys, hashes_of(sketches_[k]));
  }
}

void CpuPanes::add_deferred(Worker& worker, std::uint32_t row, const Horizon& horizon) {
  const std::int64_t time = batch_->times()[row];
  const std::uint32_t key = input_.keys[row];
  const std::uint32_t group = view_.group_of == nullptr ? 0 : view_.group_of[key];
  for (std::size_t a = 0; a < query_.arguments.size(); ++a) {
    const plan::Argument& argument = query_.arguments[a];
    if (argument.field >= 0) {
      worker.gathered[a][0] = fields_[static_cast<std::size_t>(argument.field)][row];
    } else {
      const double result = ops::evaluate(
          argument.program, [&](std::size_t f) { return ops::units_to_double(fields_[f][row], scales_[f]); },
          [&](std::size_t test) { return view_.key_tests[test][key] != 0 ? 1.0 : 0.0; });
      worker.gathered[a][0] = ops::double_to_units(result, argument_scales_[a]);
    }
    worker.columns[a] = worker.gathered[a].data();
  }
  RowSet rows;
  rows.size = 1;
  rows.groups = &group;
  rows.times = &time;
  rows.values = worker.columns.data();
  rows.nulls = nulls_;
  const std::int64_t start = pane_start(time);
  if (start < open_from(horizon)) {
    add_straggler(rows, &key, start);
    if (query_.allowed_lateness_ns > 0) stragglers_.push_back({start, group});
  } else {
    scatter(*writable(worker, start, 1), rows, &key);
  }
}

void CpuPanes::add_straggler(RowSet& rows, const std::uint32_t* keys, std::int64_t start) {
  bool made = false;
  Pane* pane = &panes_.at(start, groups_, made);
  if (pane->rows + rows.size > tuning_.pane_rows) {
    pane = &panes_.add_layer(start, groups_);
    made = true;
  }
  pane->rows += rows.size;
  rows.wide = &pane->wide;
  const bool in_window = !direct_ && start >= window_begin_ && start < entered_end_;
  if (rows.nulls && !pane->nulls) {
    pane->nulls = true;
    null_panes_ += in_window ? 1U : 0U;
  }
  const bool in_back = start >= front_end_;
  for (std::size_t s = 0; s < sections_.size(); ++s) {
    sections_[s]->scatter(pane->raw(s), rows);
    if (in_window) sections_[s]->enter_rows(rows, in_back);
  }
  for (std::size_t k = 0; k < sketches_.size(); ++k) {
    const std::uint64_t* const hashes = hashes_of(sketches_[k]);
    if (in_window) {
      sketches_[k].scatter_late(pane->codes[k], rows, keys, hashes);
    } else {
      sketches_[k].scatter(pane->codes[k], rows, keys, hashes);
    }
  }
  if (in_window && !in_back) raise_fronts(rows, *pane, made);
}

void CpuPanes::raise_fronts(const RowSet& rows, Pane& pane, bool made) {
  std::size_t position = panes_.lower_bound(pane.start);
  while (&panes_[position] != &pane) ++position;
  if (made) {
    // A pane that did not exist when the stack was built covers what the next one covers.
    const bool covered = position + 1 < panes_.size() && panes_.start(position + 1) < front_end_;
    Pane* const newer = covered ? &panes_[position + 1] : nullptr;
    if (covered) panes_.ensure(pane, newer->capacity);
    for (std::size_t s = 0; s < sections_.size(); ++s) {
      if (!panes_.layout().has_front(s)) continue;
      sections_[s]->stack(pane.front(s), pane.raw(s), covered ? newer->front(s) : nullptr, {0, pane.capacity},
                          {0, covered ? newer->capacity : 0});
    }
  }
  for (std::size_t i = position + 1; i-- > 0 && panes_.start(i) >= window_begin_;) {
    panes_.ensure(panes_[i], groups_);
    bool changed = false;
    for (std::size_t s = 0; s < sections_.size(); ++s) {
      if (panes_.layout().has_front(s)) changed |= sections_[s]->enter_front(panes_[i].front(s), rows);
    }
    // An older front includes this one: what does not improve it does not improve them. A pane just made had the
    // reading in its raw cells already.
    if (!changed && !(made && i == position)) break;
  }
}

}  // namespace weir::execute::cpu
