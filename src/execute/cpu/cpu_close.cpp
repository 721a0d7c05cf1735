#include <algorithm>
#include <utility>

#include "core/instant.hpp"
#include "execute/cpu/closing.hpp"
#include "execute/cpu/worker.hpp"

namespace weir::execute::cpu {
namespace {

/// Groups that go through all steps of a close before the next ones: what they touch stays in the L1 cache.
constexpr std::uint32_t kBlock = 128;
/// Pieces of a close for each thread: enough for one that comes late to leave most of its share to the others.
constexpr std::uint32_t kPiecesPerThread = 8;

}  // namespace

template <class Work>
void CpuPanes::over_groups(std::uint32_t groups, const Work& work) {
  const std::uint32_t piece = piece_groups(groups);
  workers_.run((groups + piece - 1) / piece, [&](unsigned /*worker*/, std::size_t number) {
    const std::uint32_t begin = static_cast<std::uint32_t>(number) * piece;
    work(number, GroupRange{begin, begin + std::min(piece, groups - begin)});
  });
}

/// Groups of one piece of the work: whole blocks, some pieces for each thread.
std::uint32_t CpuPanes::piece_groups(std::uint32_t groups) const noexcept {
  const unsigned threads = workers_.threads();
  if (threads == 1 || groups / tuning_.groups_per_worker < 2) return std::max(groups, 1U);
  const std::uint32_t least = std::max(tuning_.groups_per_worker / 2, groups / (threads * kPiecesPerThread));
  return (least + kBlock - 1) / kBlock * kBlock;
}

/// Collects the shadows of panes that start before `before`; their cells are merged by merge_block(). Panes that have
/// entered the window have none: late rows go to the panes themselves.
void CpuPanes::take_shadows(Closing& closing, std::int64_t before) {
  for (std::size_t i = panes_.lower_bound(entered_end_); i < panes_.size() && panes_.start(i) < before; ++i) {
    Pane& pane = panes_[i];
    for (std::size_t w = 0; w < pane.shadows.size(); ++w) {
      std::unique_ptr<Pane> shadow = std::move(pane.shadows[w]);
      if (shadow == nullptr) continue;
      --scratch_[w + 1]->shadows;
      if (pane.rows + shadow->rows > tuning_.pane_rows) {
        // Lands right behind this pane, as a layer of the same start, and has no shadows itself.
        panes_.insert(std::move(shadow));
        continue;
      }
      panes_.ensure(pane, shadow->capacity);
      pane.rows += shadow->rows;
      pane.nulls = pane.nulls || shadow->nulls;
      pane.wide = pane.wide || shadow->wide;
      for (std::size_t k = 0; k < sketches_.size(); ++k) sketches_[k].merge(pane.codes[k], shadow->codes[k]);
      closing.merges.push_back({&pane, std::move(shadow)});
    }
  }
}

void CpuPanes::merge_block(const Closing& closing, GroupRange block) {
  for (const Closing::Merge& merge : closing.merges) {
    const GroupRange held = merge.shadow->within(block);
    for (std::size_t s = 0; s < sections_.size(); ++s) {
      if (sections_[s]->only_nulls() && !merge.shadow->nulls) continue;
      sections_[s]->merge(merge.into->raw(s), merge.shadow->raw(s), held);
      sections_[s]->clear(merge.shadow->raw(s), held);
    }
  }
}

void CpuPanes::plan_close(Closing& closing, std::int64_t end_ns, std::int64_t keep_from) {
  const std::int64_t begin = saturating_subtract(end_ns, query_.window_ns);
  const std::int64_t next_begin = saturating_add(begin, query_.slide_ns);
  take_shadows(closing, std::max(end_ns, keep_from));
  const auto each_between = [&](std::int64_t from, std::int64_t to, const auto& on) {
    for (std::size_t i = panes_.lower_bound(from); i < panes_.size() && panes_.start(i) < to; ++i) on(panes_[i]);
  };
  if (direct_) {
    each_between(begin, end_ns, [&](Pane& pane) { closing.entering.push_back(&pane); });
    if (closing.entering.size() <= 1 && sketches_.empty()) {
      closing.direct = closing.entering.empty() ? nullptr : closing.entering.front();
      closing.entering.clear();
    } else {
      // Layers have to be added up, and sketches are only ever read from the window.
      closing.derived = true;
      closing.leaving = closing.entering;
      closing.restart = closing.flip = true;
      for (const auto& section : sections_) section->grow(room_);
    }
  } else {
    closing.derived = true;
    closing.restart = begin != window_begin_;
    if (closing.restart) front_end_ = begin;
    each_between(closing.restart ? begin : entered_end_, end_ns,
                 [&](Pane& pane) { closing.entering.push_back(&pane); });
    const std::size_t first = panes_.lower_bound(begin);
    if (first < panes_.size() && panes_.start(first) < front_end_) closing.front = &panes_[first];
    const std::int64_t stay_from = std::max(next_begin, keep_from);
    each_between(begin, std::min(stay_from, end_ns), [&](Pane& pane) { closing.leaving.push_back(&pane); });
    if (next_begin > front_end_) {
      closing.flip = true;
      each_between(stay_from, end_ns, [&](Pane& pane) { closing.stacked.push_back(&pane); });
      std::reverse(closing.stacked.begin(), closing.stacked.end());
      // A front covers everything newer, so it needs cells for the groups of everything newer.
      std::uint32_t groups = 0;
      for (Pane* pane : closing.stacked) {
        panes_.ensure(*pane, groups);
        groups = pane->capacity;
      }
      front_end_ = end_ns;
    }
    if (closing.restart) null_panes_ = 0;
    for (const Pane* pane : closing.entering) null_panes_ += pane->nulls ? 1U : 0U;
    closing.slides =
        !closing.restart && null_panes_ == 0 && closing.entering.size() == 1 && closing.leaving.size() <= 1;
    for (const Pane* pane : closing.leaving) null_panes_ -= pane->nulls ? 1U : 0U;
  }
  window_begin_ = next_begin;
  entered_end_ = end_ns;
  for (; closing.leave_store < panes_.size() && panes_.start(closing.leave_store) < keep_from; ++closing.leave_store) {
    Pane& pane = panes_[closing.leave_store];
    if (pane.lent()) {
      // Still read below, where it leaves the window.
      closing.left_behind.push_back(std::move(pane.cells));
    } else {
      closing.recycled.push_back(&pane);
    }
  }
}

/// Calls on(section, cells, groups) for the sections from number `from` on that hold anything of the block in `pane`.
template <class On>
void CpuPanes::each_section(const Pane& pane, GroupRange block, std::size_t from, const On& on) {
  const GroupRange held = pane.within(block);
  if (held.size() == 0) return;
  for (std::size_t s = from; s < sections_.size(); ++s) {
    if (!sections_[s]->only_nulls() || pane.nulls) on(*sections_[s], pane.raw(s), held);
  }
}

void CpuPanes::stack_block(const Closing& closing, GroupRange block) {
  for (std::size_t s = 0; s < sections_.size(); ++s) {
    if (!panes_.layout().has_front(s)) continue;
    const Pane* newer = nullptr;
    for (const Pane* const pane : closing.stacked) {
      sections_[s]->stack(pane->front(s), pane->raw(s), newer == nullptr ? nullptr : newer->front(s),
                          pane->within(block), newer == nullptr ? GroupRange{} : newer->within(block));
      newer = pane;
    }
  }
}

/// The first section takes the block in one pass where it can; false where a pane has no cells for some of the groups.
bool CpuPanes::slide_block(const Closing& closing, GroupRange block, std::uint32_t entry, std::uint32_t& entries) {
  const Pane* const entering = closing.entering.front();
  const Pane* const leaving = closing.leaving.empty() ? nullptr : closing.leaving.front();
  const auto covers = [&](const Pane* pane) { return pane == nullptr || pane->capacity >= block.end; };
  if (!covers(entering) || !covers(leaving) || !covers(closing.front)) return false;
  Slide slide;
  slide.entering = entering->raw(0);
  if (closing.front != nullptr && panes_.layout().has_front(0)) slide.front = closing.front->front(0);
  if (leaving != nullptr) slide.leaving = leaving->raw(0);
  slide.groups = totals_.groups.data() + entry;
  slide.counts = totals_.counts.data() + entry;
  slide.stride = query_.arguments.size();
  slide.arguments = totals_.arguments.data() + entry * slide.stride;
  entries = sections_[0]->slide(slide, block);
  return true;
}

/// The same in steps: panes enter, groups with readings are picked, totals are emitted.
std::uint32_t CpuPanes::pick_block(const Closing& closing, GroupRange block, std::uint32_t entry) {
  std::array<std::uint64_t, kBlock> rows{};
  if (closing.derived) {
    for (const auto& section : sections_) section->add_row_counts(block, rows.data());
  } else if (closing.direct != nullptr) {
    each_section(*closing.direct, block, 0,
                 [&](Section& section, Cells raw, GroupRange held) { section.add_row_counts(raw, held, rows.data()); });
  }
  std::uint32_t size = 0;
  for (std::uint32_t g = 0; g < block.size(); ++g) {
    if (rows[g] == 0) continue;
    totals_.groups[entry + size] = block.begin + g;
    totals_.counts[entry + size] = rows[g];
    ++size;
  }
  return size;
}

/// Takes a block of groups through all steps; entries of groups with readings are written from `entry` on.
std::uint32_t CpuPanes::close_block(const Closing& closing, GroupRange block, std::uint32_t entry) {
  merge_block(closing, block);
  std::uint32_t entries = 0;
  const std::size_t from = closing.slides && slide_block(closing, block, entry, entries) ? 1 : 0;
  if (closing.restart) {
    for (const auto& section : sections_) section->reset(block);
  }
  for (const Pane* pane : closing.entering) {
    each_section(*pane, block, from, [](Section& section, Cells raw, GroupRange held) { section.enter(raw, held); });
  }
  if (from == 0) entries = pick_block(closing, block, entry);

  const std::size_t arguments = query_.arguments.size();
  const Picked picked{totals_.groups.data() + entry, entries, totals_.arguments.data() + entry * arguments, arguments};
  for (std::size_t s = from; s < sections_.size() && entries > 0; ++s) {
    if (!closing.derived) {
      sections_[s]->emit_raw(closing.direct->raw(s), picked);
    } else if (closing.front != nullptr && panes_.layout().has_front(s)) {
      sections_[s]->emit(closing.front->front(s), closing.front->capacity, picked);
    } else {
      sections_[s]->emit(nullptr, 0, picked);
    }
  }

  for (const Pane* pane : closing.leaving) {
    each_section(*pane, block, from, [](Section& section, Cells raw, GroupRange held) { section.leave(raw, held); });
  }
  if (closing.flip) {
    for (const auto& section : sections_) section->reset_back(block);
    stack_block(closing, block);
  }
  for (const Pane* pane : closing.recycled) {
    each_section(*pane, block, 0, [](Section& section, Cells raw, GroupRange held) { section.clear(raw, held); });
  }
  return entries;
}

std::uint32_t CpuPanes::close_groups(const Closing& closing, GroupRange groups) {
  for (std::size_t k = 0; k < sketches_.size(); ++k) {
    if (closing.restart) sketches_[k].reset(groups);
    for (const Pane* pane : closing.entering) sketches_[k].enter(pane->codes[k], groups);
  }
  std::uint32_t entries = 0;
  for (std::uint32_t begin = groups.begin; begin < groups.end; begin += kBlock) {
    const GroupRange block{begin, std::min(begin + kBlock, groups.end)};
    entries += close_block(closing, block, groups.begin + entries);
  }
  for (Sketch& sketch : sketches_) {
    for (std::size_t entry = groups.begin; entry < groups.begin + entries; ++entry) {
      sketch.emit(totals_.groups[entry], totals_, output_of(sketch, entry));
    }
  }
  for (std::size_t k = 0; k < sketches_.size(); ++k) {
    for (const Pane* pane : closing.leaving) sketches_[k].leave(pane->codes[k], groups);
  }
  return entries;
}

void CpuPanes::close(std::int64_t end_ns, std::int64_t keep_from) {
  Closing& closing = *closing_;
  closing.clear();
  plan_close(closing, end_ns, keep_from);
  totals_.start_ns = saturating_subtract(end_ns, query_.window_ns);
  totals_.end_ns = end_ns;
  totals_.revision = false;
  resize_totals(groups_);
  // Every range of groups writes its entries from its own first group on; what groups without readings left free is
  // closed up afterwards, which nearly always is nothing.
  const std::uint32_t piece = piece_groups(groups_);
  ranges_.assign((groups_ + piece - 1) / piece, {});
  over_groups(groups_, [&](std::size_t number, GroupRange groups) {
    ranges_[number] = {groups.begin, groups.begin + close_groups(closing, groups)};
  });
  std::uint32_t entries = 0;
  for (const GroupRange& range : ranges_) {
    move_entries(range.begin, entries, range.size());
    entries += range.size();
  }
  resize_totals(entries);
  if (closing.flip && room_ > groups_) stack_block(closing, {groups_, room_});
  for (Closing::Merge& merge : closing.merges) panes_.recycle_shadow(std::move(merge.shadow));
  panes_.recycle_oldest(closing.leave_store);
  closing.left_behind.clear();
  if (!direct_) panes_.prefetch(panes_.lower_bound(window_begin_));
  consumer_.window(totals_);
}

void CpuPanes::resize_totals(std::size_t entries) {
  totals_.groups.resize(entries);
  totals_.counts.resize(entries);
  totals_.arguments.resize(entries * query_.arguments.size());
  totals_.quantiles.resize(entries * quantiles_);
  totals_.distincts.resize(entries * distincts_);
}

void CpuPanes::move_entries(std::uint32_t from, std::uint32_t to, std::uint32_t count) {
  if (from == to) return;
  const auto move = [&](auto& column, std::size_t width) {
    const auto begin = column.begin() + static_cast<std::ptrdiff_t>(from * width);
    std::move(begin, begin + static_cast<std::ptrdiff_t>(count * width),
              column.begin() + static_cast<std::ptrdiff_t>(to * width));
  };
  move(totals_.groups, 1);
  move(totals_.counts, 1);
  move(totals_.arguments, query_.arguments.size());
  move(totals_.quantiles, quantiles_);
  move(totals_.distincts, distincts_);
}

void CpuPanes::settle() {
  Closing& closing = *closing_;
  closing.clear();
  take_shadows(closing, kLatest);
  if (closing.merges.empty()) return;
  over_groups(room_, [&](std::size_t /*number*/, GroupRange groups) { merge_block(closing, groups); });
  for (Closing::Merge& merge : closing.merges) panes_.recycle_shadow(std::move(merge.shadow));
}

void CpuPanes::rebuild(std::int64_t closed_end) {
  Closing& closing = *closing_;
  closing.clear();
  const GroupRange all{0, room_};
  window_begin_ = entered_end_ = front_end_ = kNothingClosed;
  null_panes_ = 0;
  if (closed_end == kNothingClosed) return;
  entered_end_ = front_end_ = closed_end;
  window_begin_ = saturating_add(saturating_subtract(closed_end, query_.window_ns), query_.slide_ns);
  if (direct_) return;
  for (std::size_t i = panes_.lower_bound(window_begin_); i < panes_.size() && panes_.start(i) < closed_end; ++i) {
    closing.entering.push_back(&panes_[i]);
    null_panes_ += panes_[i].nulls ? 1U : 0U;
  }
  closing.stacked.assign(closing.entering.rbegin(), closing.entering.rend());
  std::uint32_t groups = 0;
  for (Pane* pane : closing.stacked) {
    panes_.ensure(*pane, groups);
    groups = pane->capacity;
  }
  for (std::size_t s = 0; s < sections_.size(); ++s) {
    sections_[s]->reset(all);
    for (const Pane* pane : closing.entering) sections_[s]->enter(pane->raw(s), pane->within(all));
    sections_[s]->reset_back(all);
  }
  for (std::size_t k = 0; k < sketches_.size(); ++k) {
    sketches_[k].reset(all);
    for (const Pane* pane : closing.entering) sketches_[k].enter(pane->codes[k], all);
  }
  stack_block(closing, all);
}

void CpuPanes::revise(std::int64_t end_ns, std::span<const std::uint32_t> groups) {
  settle();
  const std::int64_t begin = saturating_subtract(end_ns, query_.window_ns);
  totals_.start_ns = begin;
  totals_.end_ns = end_ns;
  totals_.revision = true;
  resize_totals(groups.size());
  std::copy(groups.begin(), groups.end(), totals_.groups.begin());
  std::fill(totals_.counts.begin(), totals_.counts.end(), 0);
  std::fill(totals_.arguments.begin(), totals_.arguments.end(), empty_total());
  const std::size_t arguments = query_.arguments.size();
  std::vector<std::vector<GroupCode>> codes(sketches_.size());
  for (std::size_t i = panes_.lower_bound(begin); i < panes_.size() && panes_.start(i) < end_ns; ++i) {
    const Pane& pane = panes_[i];
    for (std::size_t s = 0; s < sections_.size(); ++s) {
      for (std::size_t entry = 0; entry < groups.size() && groups[entry] < pane.capacity; ++entry) {
        sections_[s]->read(pane.raw(s), groups[entry], totals_.arguments.data() + entry * arguments,
                           totals_.counts[entry]);
      }
    }
    for (std::size_t k = 0; k < sketches_.size(); ++k) append_codes(pane.codes[k], groups, codes[k]);
  }
  for (std::size_t k = 0; k < sketches_.size(); ++k) {
    std::sort(codes[k].begin(), codes[k].end());
    std::vector<Sketch::Code> own;
    auto next = codes[k].begin();
    for (std::size_t entry = 0; entry < groups.size(); ++entry) {
      own.clear();
      for (; next != codes[k].end() && next->group == groups[entry]; ++next) own.push_back({next->code, next->count});
      sketches_[k].emit(own, totals_, output_of(sketches_[k], entry));
    }
  }
  consumer_.window(totals_);
}

}  // namespace weir::execute::cpu
