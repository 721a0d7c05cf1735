// The engine's part in releasing keys (semantics §1): between two batches, while the stream's decoder waits.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/log.hpp"
#include "runtime/engine.hpp"

namespace weir::runtime {

/// Likewise of one query, and of those that read its rows where these are the readings themselves.
std::int64_t Engine::late_before_of(std::size_t query) const {
  std::int64_t before = queries_[query].runs->late_before();
  if (plan_.queries[query].shape.readings) {
    for (const std::size_t reader : plan_.queries[query].readers) {
      before = std::min(before, late_before_of(reader));
    }
  }
  return before;
}

/// Readings of the stream with an event time before this are late for each of its queries, and a repeat of one is not
/// looked for.
std::int64_t Engine::late_before(std::size_t stream) const {
  std::int64_t before = streams_[stream]->tracker->watermark();
  for (const std::size_t index : plan_.streams[stream].queries) {
    before = std::min(before, late_before_of(index));
  }
  return before;
}

void Engine::release_keys(std::size_t index) {
  Stream& stream = *streams_[index];
  std::vector<std::uint8_t> kept = stream.ages->heard_lately(late_before(index));
  for (const std::size_t query : plan_.streams[index].queries) {
    queries_[query].runs->pin_keys(kept);
  }
  const auto released = static_cast<std::uint64_t>(std::count(kept.begin(), kept.end(), 0));
  if (released == 0) {
    return;
  }
  std::vector<std::uint32_t> ids(kept.size(), execute::kNoKey);
  std::uint32_t next = 0;
  for (std::size_t key = 0; key < kept.size(); ++key) {
    if (kept[key] != 0) {
      ids[key] = next++;
    }
  }
  stream.keys->keep(kept);
  stream.ages->keep(kept);
  if (stream.dedupe) {
    stream.dedupe->renumber(ids);
  }
  for (const std::size_t query : plan_.streams[index].queries) {
    queries_[query].runs->renumber(ids);
  }
  stream.key_count = next;
  ++stream.key_generation;
  log::info("stream '{}': {} of {} keys were silent for key_ttl and are released", plan_.streams[index].spec.name,
            released, kept.size());
}

}  // namespace weir::runtime
