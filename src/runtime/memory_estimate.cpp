#include "runtime/memory_estimate.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>
#include <thread>
#include <utility>

#include "batch/batch.hpp"
#include "batch/key_dictionary.hpp"
#include "batch/result_table.hpp"
#include "core/error.hpp"
#include "decode/decoder.hpp"
#include "execute/extent.hpp"
#include "execute/revisions.hpp"
#include "execute/row_stream.hpp"
#include "runtime/dedupe.hpp"
#include "runtime/engine.hpp"
#include "runtime/key_ages.hpp"
#include "source/line_buffer.hpp"
#include "source/text_input.hpp"

namespace weir::runtime {
namespace {

using Item = MemoryEstimate::Item;
using Kind = MemoryEstimate::Kind;

constexpr std::uint64_t kKiB = 1U << 10U;
constexpr std::uint64_t kMiB = kKiB << 10U;

// The program itself with its libraries, log and allocator slack: about 6 MiB, 3 more with MQTT.
constexpr std::uint64_t kProgramBytes = 8 * kMiB;
// What a thread uses of its stack, and what its arena of the allocator holds back.
constexpr std::uint64_t kThreadBytes = 256 * kKiB;
// Segments of a durable journal that are mapped at once: one is written, one read, one prepared.
constexpr std::uint64_t kMappedSegments = 3;
// No reading is written shorter, with the separator behind it.
constexpr std::uint64_t kShortestReading = 8;
// A value of a row as text, with its name.
constexpr std::uint64_t kValueText = 64;
// Rows that a sink keeps for a broker that is away, and the buffer of an output file (sink/).
constexpr std::uint64_t kWaitingRows = 1000;
constexpr std::uint64_t kOutputBuffer = 512 * kKiB;

bool shed(const spec::Source& source) noexcept {
  return source.kind == spec::SourceKind::mqtt && source.qos == 0;
}

bool held_back(const spec::Source& source) noexcept {
  return !shed(source);
}

/// Bytes of the source's own buffers. MQTT: the packet, and the message that the client makes of it. Lines: a buffer
/// that doubles while a line grows in it.
std::uint64_t source_bytes(const spec::Source& source, std::uint64_t max_message) noexcept {
  switch (source.kind) {
    case spec::SourceKind::mqtt:
      return 2 * max_message;
    case spec::SourceKind::file:
    case spec::SourceKind::directory:
    case spec::SourceKind::standard_input:
      return 2 * std::max<std::uint64_t>(max_message, source::kBlockBytes) + source::kTextInputBytes;
    case spec::SourceKind::tcp:
      return 2 * std::max<std::uint64_t>(max_message, source::kBlockBytes);
    case spec::SourceKind::simulator:
    case spec::SourceKind::custom:
      return source::kBlockBytes;
  }
  return 0;
}

class Estimator {
 public:
  Estimator(const plan::Plan& plan, const execute::Backend& backend, RunMode mode)
      : plan_(plan), backend_(backend), mode_(mode), durable_(mode == RunMode::run && !plan.spec.state_dir.empty()) {}

  MemoryEstimate run() {
    program();
    for (const plan::StreamPlan& stream : plan_.streams) {
      of_stream(stream);
    }
    for (const plan::QueryPlan& query : plan_.queries) {
      of_query(query);
    }
    for (const spec::Sink& sink : plan_.spec.sinks) {
      of_sink(sink);
    }
    key_release();
    if (!plan_.spec.state_dir.empty()) {
      checkpoints();
    }
    estimate_.limit_is_set = plan_.spec.memory_limit != 0;
    estimate_.limit_bytes = estimate_.limit_is_set ? plan_.spec.memory_limit
                                                   : static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                                                         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    estimate_.device_limit_bytes = backend_.device_memory();
    return std::move(estimate_);
  }

 private:
  void program() {
    std::uint64_t threads = (plan_.spec.threads != 0 ? plan_.spec.threads : std::thread::hardware_concurrency()) +
                            4;  // the engine's, the clock's, the checkpoints', the client's
    for (const plan::StreamPlan& stream : plan_.streams) {
      threads += stream.spec.sources.size() + 2;
    }
    estimate_.add({Kind::program, "", kProgramBytes + threads * kThreadBytes, 0, 0});
  }

  void of_stream(const plan::StreamPlan& plan) {
    const spec::Stream& stream = plan.spec;
    const std::string owner = "stream " + stream.name;
    const std::uint64_t batch = batch::Batch::bytes(stream.schema.fields.size(), plan_.spec.batch_rows);
    std::uint64_t batches = kBatchesPerStream;
    if (mode_ == RunMode::replay && stream.sources.size() > 1) {
      // Merged by event time: of each, the readings of a message wait for their turn.
      const std::uint64_t readings =
          std::max<std::uint64_t>(plan_.spec.max_message, source::kBlockBytes) / kShortestReading;
      batches += stream.sources.size() * (readings / plan_.spec.batch_rows + 2);
    }
    // At worst every reading is ahead of its arrival: marked in its batch, and once more while the engine looks at it.
    const std::uint64_t ahead = plan.arrival_time ? 0
                                                  : plan_.spec.batch_rows * (batches + 1) * sizeof(batch::AheadRow) +
                                                        plan_.spec.batch_rows * sizeof(std::int64_t);
    estimate_.add({Kind::batches, owner, batches * batch + ahead, 0, 0});
    if (mode_ == RunMode::run) {
      queue(stream, owner);
    }
    if (durable_) {
      estimate_.add({Kind::journal_files, owner, kMappedSegments * plan_.spec.journal_segment, 0, 0});
    }
    messages(stream, owner);
    std::uint64_t keys = batch::KeyDictionary::worst_case_bytes(stream.schema.keys.size(), stream.max_keys,
                                                                stream.schema.keys.empty() ? 0 : stream.max_key_bytes);
    if (stream.key_ttl.count() > 0) {
      keys = 2 * keys + KeyAges::worst_case_bytes(stream.max_keys);  // the new texts come before the old ones go
    }
    estimate_.add({Kind::keys, owner, keys, 0, 0});
    if (stream.dedupe) {
      estimate_.add({Kind::dedupe, owner,
                     Dedupe::worst_case_bytes(stream.max_remembered) + std::uint64_t{plan_.spec.batch_rows}, 0, 0});
    }
  }

  // A ring for what can be shed and one for what is held back (journal/memory_queue.cpp); in a durable journal only
  // what can be shed waits in memory.
  void queue(const spec::Stream& stream, const std::string& owner) {
    const spec::Pipeline& spec = plan_.spec;
    const bool sheds = std::any_of(stream.sources.begin(), stream.sources.end(), shed);
    const bool holds = std::any_of(stream.sources.begin(), stream.sources.end(), held_back);
    const std::uint64_t rings = (sheds ? 1U : 0U) + (holds && !durable_ ? 1U : 0U);
    if (rings == 0) {
      return;
    }
    // What the reader took of the shed ones; and a message that is larger than the queue, while the next one comes.
    const std::uint64_t copies = (sheds ? 1U : 0U) + (spec.max_message > spec.journal_memory ? 2U : 0U);
    estimate_.add({Kind::queue, owner, rings * spec.journal_memory + copies * spec.max_message, 0, 0});
  }

  void messages(const spec::Stream& stream, const std::string& owner) {
    const std::uint64_t longest = plan_.spec.max_message;
    std::uint64_t bytes = 0;
    std::uint64_t at_once = 0;
    for (const spec::Source& source : stream.sources) {
      const decode::DecoderNeed decoder = decode::decoder_need(stream, source, longest);
      bytes += source_bytes(source, longest) + decoder.kept_bytes;
      at_once = std::max(at_once, decoder.message_bytes);
    }
    // A segment that is full is compressed by blocks, of which a large message is one.
    const std::uint64_t compressed = durable_ ? 3 * longest : 0;
    estimate_.add({Kind::messages, owner, bytes + at_once + compressed, 0, 0});
  }

  void of_query(const plan::QueryPlan& query) {
    const std::string owner = "query " + query.spec.name;
    if (!query.readings) {
      const execute::Extent extent = execute::extent_of(plan_, query);
      const execute::MemoryNeed need = backend_.worst_case(query, extent);
      const std::uint64_t groups = query.group_keys.empty() ? 0 : query.max_groups;
      estimate_.add({Kind::panes, owner, need.host_bytes, need.device_bytes, groups});
      if (need.histogram_bytes > 0) {
        estimate_.add({Kind::histograms, owner, need.histogram_bytes, 0, groups});
      }
      estimate_.add({Kind::groups, owner, group_tables(query, extent), 0, groups});
    }
    if (!query.readers.empty()) {
      estimate_.add({Kind::keys, owner, execute::RowStream::worst_case_bytes(query), 0, 0});
    }
    // A table doubles, and the old one is there until the new one is filled.
    const std::uint64_t rows = std::bit_ceil(query.readings ? plan_.spec.batch_rows : kRowsAtOnce);
    const std::uint64_t row = sizeof(batch::ResultRow) + query.shape.group_keys.size() * sizeof(std::string_view) +
                              query.shape.columns.size() * sizeof(batch::Value);
    estimate_.add({Kind::rows, owner, 3 * rows * row, 0, 0});
  }

  static std::uint64_t group_tables(const plan::QueryPlan& query, const execute::Extent& extent) {
    // execute/group_table.hpp, finalize.hpp: arrays that double.
    const std::uint64_t of_key = 8 + 2 * query.key_tests.size() + 16 * query.aggregates.size();
    const std::uint64_t of_group = 8 + 32 * query.group_keys.size() + 16 + 16 + 16 + 2 * query.having_key_tests.size();
    std::uint64_t bytes = of_key * extent.keys + of_group * query.max_groups;
    if (query.allowed_lateness_ns > 0 && !query.per_batch) {
      bytes += execute::Revisions::worst_case_bytes(query.max_groups, query.allowed_lateness_ns, query.slide_ns);
    }
    return bytes;
  }

  void of_sink(const spec::Sink& sink) {
    if (sink.kind != spec::SinkKind::file && sink.kind != spec::SinkKind::mqtt) {
      return;
    }
    // Text of the longest row: every byte of a key may need an escape of six.
    std::uint64_t row = 0;
    std::uint64_t outputs = 0;
    for (const plan::QueryPlan& query : plan_.queries) {
      const auto index = static_cast<std::size_t>(&sink - plan_.spec.sinks.data());
      if (std::find(query.sinks.begin(), query.sinks.end(), index) != query.sinks.end()) {
        const std::uint64_t keys = query.group_keys.empty() ? 0 : query.input.max_key_bytes;
        row = std::max(row, kValueText * (query.shape.columns.size() + 4) + 6 * keys);
        ++outputs;
      }
    }
    // An MQTT row is kept as payload, topic and id; a file's output is written in pieces.
    const std::uint64_t bytes =
        sink.kind == spec::SinkKind::mqtt ? 3 * kWaitingRows * row : outputs * (kOutputBuffer + 2 * row);
    estimate_.add({Kind::rows, "sink " + sink.name, bytes, 0, 0});
  }

  // One query after the other: its panes as bytes, under the old ids and under the new ones.
  void key_release() {
    std::uint64_t most = 0;
    for (const plan::QueryPlan& query : plan_.queries) {
      if (query.readings || plan_.streams[query.stream].spec.key_ttl.count() == 0) {
        continue;
      }
      const execute::MemoryNeed need = backend_.worst_case(query, execute::extent_of(plan_, query));
      most = std::max(most, need.host_bytes + need.device_bytes + need.histogram_bytes / 4);
    }
    if (most > 0) {
      estimate_.add({Kind::key_release, "", 2 * most, 0, 0});
    }
  }

  // What the first checkpoint after a start holds: all state, as bytes; some of it also as panes, of which at most as
  // much again is cells that are not stored.
  void checkpoints() {
    std::uint64_t bytes = 0;
    for (const Item& item : estimate_.items) {
      switch (item.kind) {
        case Kind::panes:
          bytes += item.host_bytes + item.device_bytes +
                   std::min(item.host_bytes + item.device_bytes, 2 * execute::kMostDeferred);
          break;
        case Kind::keys:
        case Kind::dedupe:
          bytes += item.host_bytes;
          break;
        case Kind::histograms:
          // A bin takes a fraction of its place in a table.
          histograms_in_checkpoints_ += item.host_bytes / 4;
          break;
        default:
          break;
      }
    }
    estimate_.add({Kind::checkpoints, "", bytes, 0, 0});
    if (histograms_in_checkpoints_ > 0) {
      estimate_.add({Kind::histograms, "checkpoints", histograms_in_checkpoints_, 0, 0});
    }
  }

  const plan::Plan& plan_;
  const execute::Backend& backend_;
  const RunMode mode_;
  const bool durable_;
  MemoryEstimate estimate_;
  std::uint64_t histograms_in_checkpoints_ = 0;
};

std::string_view name(Kind kind) noexcept {
  constexpr std::array<std::string_view, 13> kNames{"program",
                                                    "batches",
                                                    "queue",
                                                    "journal, mapped files",
                                                    "largest message",
                                                    "keys",
                                                    "remembered readings",
                                                    "panes",
                                                    "quantiles at their worst",
                                                    "groups",
                                                    "rows",
                                                    "panes while keys are released",
                                                    "checkpoints"};
  return kNames[static_cast<std::size_t>(kind)];
}

/// What makes an item smaller.
std::string remedy(const Item& item, std::uint64_t fit) {
  const std::string groups =
      fit > 0 ? fmt::format("set max_groups = {} there, which fits", fit) : std::string("lower max_groups there");
  switch (item.kind) {
    case Kind::batches:
      return "lower batch_rows";
    case Kind::queue:
      return "lower journal_memory";
    case Kind::journal_files:
      return "lower journal_segment";
    case Kind::messages:
      return "lower max_message";
    case Kind::keys:
      return "lower max_keys or max_key_bytes";
    case Kind::dedupe:
      return "lower max_remembered";
    case Kind::histograms:
      return groups + ", or lengthen the slide so that a window has fewer panes";
    case Kind::panes:
    case Kind::groups:
      return groups + ", shorten the window, or lengthen the slide";
    case Kind::key_release:
      return "leave key_ttl out, or lower max_groups";
    case Kind::program:
    case Kind::rows:
    case Kind::checkpoints:
      break;
  }
  return "lower max_keys or max_groups, shorten the window, or lengthen the slide";
}

/// So many groups would fit the limit if all else stayed as it is; 0: none.
std::uint64_t groups_that_fit(const Item& item, std::uint64_t bytes, std::uint64_t all, std::uint64_t limit) noexcept {
  if (item.groups == 0 || bytes < item.groups || limit <= all - bytes) {
    return 0;
  }
  return (limit - (all - bytes)) / (bytes / item.groups + 1);
}

}  // namespace

std::string MemoryEstimate::Item::what() const {
  return owner.empty() ? std::string(name(kind)) : fmt::format("{}: {}", owner, name(kind));
}

void MemoryEstimate::add(Item item) {
  host_bytes += item.host_bytes;
  device_bytes += item.device_bytes;
  items.push_back(std::move(item));
}

std::uint64_t MemoryEstimate::required_bytes() const noexcept {
  std::uint64_t bytes = host_bytes;
  for (const Item& item : items) {
    bytes -= !limit_is_set && item.kind == Kind::histograms ? item.host_bytes : 0;
  }
  return bytes;
}

MemoryEstimate estimate_memory(const plan::Plan& plan, const execute::Backend& backend, RunMode mode) {
  return Estimator(plan, backend, mode).run();
}

void require_memory(const plan::Plan& plan, const MemoryEstimate& estimate) {
  const auto refuse = [&](const char* whose, std::uint64_t Item::*bytes, std::uint64_t all, std::uint64_t limit,
                          const std::string& also) {
    const auto counts = [&](const Item& item) {
      return estimate.limit_is_set || item.kind != Kind::histograms ? item.*bytes : 0;
    };
    const auto largest = std::max_element(estimate.items.begin(), estimate.items.end(),
                                          [&](const Item& a, const Item& b) { return counts(a) < counts(b); });
    throw ConfigError(
        {Diagnostic{plan.spec.file, 0,
                    fmt::format("the configuration can need {}{}, the limit is {}; the largest part is {} with {}",
                                bytes_to_string(all), whose, bytes_to_string(limit), largest->what(),
                                bytes_to_string((*largest).*bytes)),
                    remedy(*largest, groups_that_fit(*largest, (*largest).*bytes, all, limit)) + also}});
  };
  if (estimate.required_bytes() > estimate.limit_bytes) {
    refuse("", &Item::host_bytes, estimate.required_bytes(), estimate.limit_bytes, "");
  }
  if (estimate.device_bytes > estimate.device_limit_bytes) {
    refuse(" on the device", &Item::device_bytes, estimate.device_bytes, estimate.device_limit_bytes,
           ", or use device = \"cpu\"");
  }
}

std::string memory_warning(const MemoryEstimate& estimate) {
  if (estimate.host_bytes <= estimate.limit_bytes) {
    return {};
  }
  const auto largest = std::max_element(estimate.items.begin(), estimate.items.end(),
                                        [](const Item& a, const Item& b) { return a.host_bytes < b.host_bytes; });
  return fmt::format(
      "with values of all magnitudes in every group, the histograms of quantile() could need more than the {} of this "
      "machine: {}. With memory_limit set, such a configuration is refused",
      bytes_to_string(estimate.limit_bytes),
      remedy(*largest, groups_that_fit(*largest, largest->host_bytes, estimate.host_bytes, estimate.limit_bytes)));
}

std::unique_ptr<execute::Backend> choose_backend(const plan::Plan& plan, RunMode mode, std::string& why,
                                                 const MakeBackend& make) {
  auto backend = make(plan.spec.device, plan.spec.threads, why);
  if (plan.spec.device != "auto") {
    return backend;
  }
  const MemoryEstimate estimate = estimate_memory(plan, *backend, mode);
  if (estimate.device_bytes > estimate.device_limit_bytes) {
    why = fmt::format("computing on the CPU: the configuration can need {} on {}, which has {}",
                      bytes_to_string(estimate.device_bytes), backend->name(),
                      bytes_to_string(estimate.device_limit_bytes));
  } else if (estimate.device_bytes > 0 && estimate.required_bytes() > estimate.limit_bytes) {
    why = fmt::format("computing on the CPU: beside {} the configuration can need {}, the limit is {}", backend->name(),
                      bytes_to_string(estimate.required_bytes()), bytes_to_string(estimate.limit_bytes));
  } else {
    return backend;
  }
  std::string none;
  return make("cpu", plan.spec.threads, none);
}

}  // namespace weir::runtime
