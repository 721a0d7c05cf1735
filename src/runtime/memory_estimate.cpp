// The worst case of a plan's memory, planned before start (semantics §8).
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "core/error.hpp"
#include "execute/extent.hpp"
#include "runtime/pipeline.hpp"

namespace weir::runtime {
namespace {

// The program itself with its libraries, log, threads' stacks and allocator slack: about 6 MiB, 3 more with MQTT.
constexpr std::uint64_t kProgramBytes = 8U << 20U;
constexpr std::uint64_t kBatchesPerStream = 4;
// A decoder's cache from the bytes of the key cells to the id (decode/key_cache.hpp): 8 entries of 64 bytes a key.
constexpr std::uint64_t kKeyCacheBytes = 512;
// A group's entries in the tables that turn ids into sorted rows (execute/group_table.hpp, finalize.hpp), while they
// grow.
constexpr std::uint64_t kGroupTableBytes = 48;
constexpr std::uint64_t kLargestKeyCache = 16U << 20U;

// Replayed files and standard input do not go through the journal.
bool queued(const spec::Source& source) {
  return source.kind != spec::SourceKind::file && source.kind != spec::SourceKind::standard_input;
}

bool shed(const spec::Source& source) {
  return source.kind == spec::SourceKind::mqtt && source.qos == 0;
}

// Segments of a durable journal that are mapped at once.
constexpr std::uint64_t kMappedSegments = 3;

}  // namespace

MemoryEstimate estimate_memory(const plan::Plan& plan, const execute::Backend& backend) {
  MemoryEstimate estimate;
  const auto add = [&estimate](std::string what, std::uint64_t host, std::uint64_t device) {
    estimate.items.push_back({std::move(what), host, device});
    estimate.host_bytes += host;
    estimate.device_bytes += device;
  };
  add("program", kProgramBytes, 0);
  for (const plan::StreamPlan& stream : plan.streams) {
    const std::string name = "stream " + stream.spec.name + ": ";
    add(name + "batches",
        kBatchesPerStream * batch::Batch::bytes(stream.spec.schema.fields.size(), plan.spec.batch_rows), 0);
    // The journal has a ring for what can be shed and one for what is held back (journal/memory_queue.cpp).
    std::uint64_t rings = 0;
    for (const bool sheddable : {false, true}) {
      rings +=
          std::any_of(stream.spec.sources.begin(), stream.spec.sources.end(),
                      [sheddable](const spec::Source& source) { return queued(source) && shed(source) == sheddable; })
              ? 1U
              : 0U;
    }
    const bool durable = !plan.spec.state_dir.empty();
    const bool sheds = std::any_of(stream.spec.sources.begin(), stream.spec.sources.end(), shed);
    if (durable) {
      // Only what can be shed waits in memory; of the segments, one is written, one read, one prepared.
      rings = sheds ? 1 : 0;
    }
    if (rings > 0) {
      add(name + "journal", rings * plan.spec.journal_memory, 0);
    }
    if (durable) {
      add(name + "journal, mapped files", kMappedSegments * plan.spec.journal_segment, 0);
    }
    if (!stream.spec.schema.keys.empty()) {
      add(name + "key caches",
          stream.spec.sources.size() * std::min<std::uint64_t>(kLargestKeyCache, kKeyCacheBytes * stream.spec.max_keys),
          0);
    }
    add(name + "keys", batch::KeyDictionary::worst_case_bytes(stream.spec.schema.keys.size(), stream.spec.max_keys), 0);
  }
  for (const plan::QueryPlan& query : plan.queries) {
    if (query.readings) {
      continue;  // stateless
    }
    const execute::MemoryNeed need = backend.worst_case(query, execute::extent_of(plan, query));
    add("query " + query.spec.name, need.host_bytes + kGroupTableBytes * query.max_groups, need.device_bytes);
  }
  if (!plan.spec.state_dir.empty()) {
    // What the first checkpoint after a start holds: all state, as bytes; some of it also as panes, of which at most as
    // much again is cells that are not stored.
    std::uint64_t state = 0;
    std::uint64_t deferred = 0;
    for (const MemoryEstimate::Item& item : estimate.items) {
      const bool saved = item.what.starts_with("query ") || item.what.ends_with(": keys");
      const std::uint64_t bytes = saved ? item.host_bytes + item.device_bytes : 0;
      state += bytes;
      deferred += item.what.starts_with("query ") ? std::min(bytes, 2 * execute::kMostDeferred) : 0;
    }
    add("checkpoints", state + deferred, 0);
  }
  estimate.limit_bytes = plan.spec.memory_limit != 0 ? plan.spec.memory_limit
                                                     : static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                                                           static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  estimate.device_limit_bytes = backend.device_memory();
  return estimate;
}

void require_memory(const plan::Plan& plan, const MemoryEstimate& estimate) {
  using Item = MemoryEstimate::Item;
  const auto require = [&](const char* whose, std::uint64_t Item::*bytes, std::uint64_t all, std::uint64_t limit,
                           const char* remedy) {
    if (all <= limit) {
      return;
    }
    const auto largest = std::max_element(estimate.items.begin(), estimate.items.end(),
                                          [bytes](const Item& a, const Item& b) { return a.*bytes < b.*bytes; });
    throw ConfigError(
        {Diagnostic{plan.spec.file, 0,
                    fmt::format("the configuration can need {}{}, the limit is {}; the largest part is {} with {}",
                                bytes_to_string(all), whose, bytes_to_string(limit), largest->what,
                                bytes_to_string((*largest).*bytes)),
                    remedy}});
  };
  require("", &Item::host_bytes, estimate.host_bytes, estimate.limit_bytes,
          "lower max_keys or max_groups, shorten the window, or lengthen the slide");
  require(" on the device", &Item::device_bytes, estimate.device_bytes, estimate.device_limit_bytes,
          "lower max_groups, shorten the window, lengthen the slide, or use device = \"cpu\"");
}

std::unique_ptr<execute::Backend> choose_backend(const plan::Plan& plan, std::string& why, const MakeBackend& make) {
  auto backend = make(plan.spec.device, plan.spec.threads, why);
  if (plan.spec.device != "auto") {
    return backend;
  }
  const MemoryEstimate estimate = estimate_memory(plan, *backend);
  if (estimate.device_bytes > estimate.device_limit_bytes) {
    why = fmt::format("computing on the CPU: the configuration can need {} on {}, which has {}",
                      bytes_to_string(estimate.device_bytes), backend->name(),
                      bytes_to_string(estimate.device_limit_bytes));
  } else if (estimate.device_bytes > 0 && estimate.host_bytes > estimate.limit_bytes) {
    why = fmt::format("computing on the CPU: beside {} the configuration can need {}, the limit is {}", backend->name(),
                      bytes_to_string(estimate.host_bytes), bytes_to_string(estimate.limit_bytes));
  } else {
    return backend;
  }
  std::string none;
  return make("cpu", plan.spec.threads, none);
}

}  // namespace weir::runtime
