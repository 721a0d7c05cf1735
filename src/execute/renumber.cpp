#include "execute/renumber.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "execute/pane_codec.hpp"
#include "state/serial.hpp"

namespace weir::execute {
namespace {

/// The ids of what is kept ascend, as those of a query do that is grouped by all of its stream's keys.
bool keeps_order(std::span<const std::uint32_t> ids) {
  std::uint32_t next = 0;
  for (const std::uint32_t id : ids) {
    if (id == kNoGroup) continue;
    if (id < next) return false;
    next = id + 1;
  }
  return true;
}

}  // namespace

std::string saved_panes(const QueryPanes& panes) {
  for (bool again = false;; again = true) {
    state::SectionWriter section;
    panes.save(section);
    try {
      section.resolve();
      return section.gather();
    } catch (const Error&) {
      // A device that fails in the middle of it: the next save() is the CPU's.
      if (again) throw;
    }
  }
}

void mark_occupied(const plan::QueryPlan& query, std::string_view saved, std::span<std::uint8_t> occupied) {
  state::Reader in(saved);
  PaneDecoder decoder(query, in, PaneNumbers::compact, static_cast<std::uint32_t>(occupied.size()));
  PaneGroup group;
  std::int64_t start = 0;
  while (decoder.next_pane(start)) {
    while (decoder.next_group(group)) occupied[group.group] = 1;
  }
}

void renumber_panes(const plan::QueryPlan& query, std::string_view saved, std::span<const std::uint32_t> ids,
                    state::SectionWriter& out) {
  state::Reader in(saved);
  const std::uint64_t panes = state::Reader(saved).u64();
  PaneDecoder decoder(query, in, PaneNumbers::compact, static_cast<std::uint32_t>(ids.size()));
  PaneEncoder encoder(query, out, panes);
  const bool ordered = keeps_order(ids);
  std::vector<PaneGroup> groups;
  PaneGroup group;
  std::int64_t start = 0;
  while (decoder.next_pane(start)) {
    encoder.pane(start, 0);  // the section has nothing stored that the number could be compared with
    groups.clear();
    while (decoder.next_group(group)) {
      group.group = ids[group.group];
      if (group.group == kNoGroup) throw Error("query '" + query.spec.name + "': a key was released that has readings");
      if (ordered) {
        encoder.group(group);
      } else {
        groups.push_back(std::move(group));
      }
    }
    std::sort(groups.begin(), groups.end(), [](const PaneGroup& a, const PaneGroup& b) { return a.group < b.group; });
    for (const PaneGroup& one : groups) encoder.group(one);
  }
  encoder.finish();
}

}  // namespace weir::execute
