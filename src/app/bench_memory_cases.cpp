#include "app/bench_memory_cases.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>

namespace weir::app {
namespace {

constexpr std::int64_t kBegin = 1'377'986'400'000;  // ms
constexpr std::size_t kPiece = std::size_t{256} << 10U;

/// Collects lines, so that few calls write them.
class Lines {
 public:
  explicit Lines(TextWriter& out) : out_(out) {}
  ~Lines() { out_.write(text_); }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  template <class... Parts>
  bool add(fmt::format_string<Parts...> line, Parts&&... parts) {
    fmt::format_to(std::back_inserter(text_), line, std::forward<Parts>(parts)...);
    if (text_.size() < kPiece) {
      return true;
    }
    const bool read = out_.write(text_);
    text_.clear();
    return read;
  }

 private:
  TextWriter& out_;
  std::string text_;
};

/// Keys and the readings of each in a window of a minute.
template <std::uint32_t kKeys, std::uint32_t kPerWindow>
struct Shape {
  static std::uint32_t keys(bool small) { return small ? kKeys / 50 + 10 : kKeys; }
  static void write(TextWriter& out, bool small) {
    Lines lines(out);
    const std::int64_t rounds = std::int64_t{kPerWindow} * 2;
    for (std::int64_t round = 0; round < rounds; ++round) {
      const std::int64_t ms = kBegin + round * 60'000 / kPerWindow;
      for (std::uint32_t key = 0; key < keys(small); ++key) {
        if (!lines.add("{},sensor-{:06},{}\n", ms, key, key % 1000)) {
          return;
        }
      }
    }
  }
  static spec::Pipeline pipeline(bool small);
};

/// CSV from standard input: time in ms, sensor, v.
spec::Pipeline csv_pipeline(std::uint32_t keys) {
  spec::Pipeline pipeline;
  pipeline.threads = 1;
  pipeline.device = "cpu";
  spec::Stream stream;
  stream.name = "sensors";
  stream.schema.keys = {{"sensor", ""}};
  stream.schema.fields = {{"v", 3, "", true}};
  stream.time.field = "t";
  stream.time.unit = TimeUnit::milliseconds;
  stream.max_keys = keys;
  stream.max_key_bytes = 16;
  spec::Source source;
  source.kind = spec::SourceKind::standard_input;
  source.path = "-";
  source.format.kind = spec::FormatKind::csv;
  source.format.columns = {"t", "sensor", "v"};
  stream.sources = {source};
  pipeline.streams = {stream};
  spec::Query query;
  query.name = "q";
  query.from = "sensors";
  query.group_by = {"sensor"};
  query.select = {"count()", "sum(v)", "min(v)", "max(v)"};
  query.window = std::chrono::seconds(60);
  query.slide = std::chrono::seconds(10);
  query.sinks = {"none"};
  pipeline.queries = {query};
  spec::Sink sink;
  sink.name = "none";
  sink.kind = spec::SinkKind::callback;
  sink.callback = [](const batch::ResultTable&) {};
  pipeline.sinks = {sink};
  // What these cases do not fill, they do not plan for.
  pipeline.max_message = std::uint64_t{64} << 10U;
  return pipeline;
}

template <std::uint32_t kKeys, std::uint32_t kPerWindow>
spec::Pipeline Shape<kKeys, kPerWindow>::pipeline(bool small) {
  return csv_pipeline(keys(small));
}

spec::Pipeline run_pipeline(bool small) {
  spec::Pipeline pipeline = csv_pipeline(10'000);
  pipeline.journal_memory = (small ? std::uint64_t{8} : std::uint64_t{256}) << 20U;
  // The engine is kept busy, so that the queue fills.
  pipeline.queries[0].select.emplace_back("stddev(v)");
  pipeline.queries[0].slide = std::chrono::seconds(1);
  return pipeline;
}

void write_run(TextWriter& out, bool small) {
  small ? Shape<10'000, 6>::write(out, true) : Shape<10'000, 600>::write(out, false);
}

// More readings than are remembered, none of whose windows closes.
constexpr std::uint32_t kRemembered = 1'000'000;
std::uint32_t remembered(bool small) {
  return small ? kRemembered / 4 : kRemembered;
}
spec::Pipeline dedupe_pipeline(bool small) {
  spec::Pipeline pipeline = csv_pipeline(10);
  pipeline.streams[0].dedupe = true;
  pipeline.streams[0].max_remembered = remembered(small);
  pipeline.queries[0].window = std::chrono::hours(24);
  pipeline.queries[0].slide = std::chrono::hours(24);
  return pipeline;
}
void write_dedupe(TextWriter& out, bool small) {
  Lines lines(out);
  for (std::uint32_t i = 0; i < 5 * remembered(small) && lines.add("{},sensor-{},1\n", kBegin + i, i % 10); ++i) {
  }
}

// Keys of the largest size.
constexpr std::uint32_t kKeyBytes = 4096;
spec::Pipeline long_keys_pipeline(bool small) {
  spec::Pipeline pipeline = csv_pipeline(small ? 5'000 : 50'000);
  pipeline.streams[0].max_key_bytes = kKeyBytes;
  return pipeline;
}
void write_long_keys(TextWriter& out, bool small) {
  Lines lines(out);
  const std::string filler(kKeyBytes - 10, 'k');
  for (std::uint32_t key = 0; key < (small ? 5'000U : 50'000U) && lines.add("{},{:010}{},1\n", kBegin, key, filler);
       ++key) {
  }
}

// Values of all magnitudes: every bin of every group, in every pane.
constexpr std::int64_t kOctaves = 62;
constexpr std::int64_t kBinsOfAnOctave = 64;
std::uint32_t wild_groups(bool small) {
  return small ? 8 : 30;
}
spec::Pipeline quantile_pipeline(bool small) {
  spec::Pipeline pipeline = csv_pipeline(wild_groups(small));
  pipeline.streams[0].schema.fields[0].places = 0;
  pipeline.queries[0].select = {"quantile(v, 0.5)", "quantile(v, 0.99)"};
  pipeline.queries[0].window = std::chrono::seconds(10);
  pipeline.queries[0].slide = std::chrono::seconds(1);
  return pipeline;
}
void write_quantiles(TextWriter& out, bool small) {
  Lines lines(out);
  for (std::int64_t second = 0; second < (small ? 12 : 22); ++second) {
    for (std::int64_t octave = 6; octave <= kOctaves; ++octave) {
      for (std::int64_t bin = 0; bin < kBinsOfAnOctave; ++bin) {
        const std::int64_t value = (std::int64_t{1} << octave) + (bin << (octave - 6));
        for (std::uint32_t group = 0; group < wild_groups(small); ++group) {
          if (!lines.add("{0},sensor-{1},{2}\n{0},sensor-{1},-{2}\n", kBegin + second * 1'000, group, value)) {
            return;
          }
        }
      }
    }
  }
}

spec::Pipeline distinct_pipeline(bool small) {
  spec::Pipeline pipeline = csv_pipeline(small ? 5'000 : 100'000);
  pipeline.queries[0].group_by.clear();
  pipeline.queries[0].select = {"distinct(sensor)"};
  return pipeline;
}
void write_distinct(TextWriter& out, bool small) {
  small ? Shape<249'500, 6>::write(out, true) : Shape<100'000, 12>::write(out, false);
}

// Late readings of every group for every window that is kept.
spec::Pipeline revisions_pipeline(bool small) {
  spec::Pipeline pipeline = csv_pipeline(small ? 1'000 : 20'000);
  pipeline.queries[0].slide = std::chrono::seconds(60);
  pipeline.queries[0].allowed_lateness = std::chrono::minutes(20);
  return pipeline;
}
void write_revisions(TextWriter& out, bool small) {
  Lines lines(out);
  for (std::int64_t round = 0; round < 3; ++round) {
    for (std::int64_t minute = 0; minute < 20; ++minute) {
      for (std::uint32_t key = 0; key < (small ? 1'000U : 20'000U); ++key) {
        if (!lines.add("{},sensor-{:06},1\n", kBegin + minute * 60'000, key)) {
          return;
        }
      }
    }
  }
}

// A line of the largest size: an array of readings, or readings at the end of a path, hard to parse in either case.
constexpr std::uint64_t kLargest = std::uint64_t{16} << 20U;
std::uint64_t largest(bool small) {
  return small ? kLargest / 2 : kLargest;
}
spec::Pipeline message_pipeline(bool small) {
  spec::Pipeline pipeline = csv_pipeline(10);
  spec::Format& format = pipeline.streams[0].sources[0].format;
  format = {};
  format.kind = spec::FormatKind::json;
  pipeline.max_message = largest(small);
  pipeline.journal_memory = std::uint64_t{4} << 20U;
  return pipeline;
}
spec::Pipeline nested_message_pipeline(bool small) {
  spec::Pipeline pipeline = message_pipeline(small);
  pipeline.streams[0].sources[0].format.array_path = "/values";
  return pipeline;
}
void write_array(TextWriter& out, const std::string& head, const std::string& tail, bool small) {
  constexpr std::string_view kReading = R"({"t":1377986400000,"sensor":"a","v":1},)";
  for (int message = 0; message < 3; ++message) {
    std::string line = head;
    while (line.size() + 2 * kReading.size() + tail.size() < largest(small) / 2) {
      line += kReading;
    }
    line += R"({"t":1377986400000,"sensor":"a","v":1,"x":[)";
    while (line.size() + tail.size() + 8 < largest(small)) {
      line += line.size() % 2 == 0 ? "1," : "2,";
      if (line.size() % (std::size_t{512} << 10U) < 2) {
        line += R"(0]},{"t":1377986400000,"sensor":"a","v":1,"x":[)";
      }
    }
    line.append("0]}").append(tail).append("\n");
    if (!out.write(line)) {
      return;
    }
  }
}
void write_message(TextWriter& out, bool small) {
  write_array(out, "[", "]", small);
}
void write_nested_message(TextWriter& out, bool small) {
  write_array(out, R"({"values":[)", "]}", small);
}

constexpr std::array<MemoryCase, 12> kCases{{
    {"10000 keys x 1 Hz", true, Shape<10'000, 60>::pipeline, Shape<10'000, 60>::write},
    {"10000 keys x 10 Hz", true, Shape<10'000, 600>::pipeline, Shape<10'000, 600>::write},
    {"100 keys x 100 Hz", true, Shape<100, 6'000>::pipeline, Shape<100, 6'000>::write},
    {"100000 keys x 1 Hz", true, Shape<100'000, 60>::pipeline, Shape<100'000, 60>::write},
    {"standard input in run", false, run_pipeline, write_run},
    {"dedupe, windows of a day", true, dedupe_pipeline, write_dedupe},
    {"keys of 4096 bytes", true, long_keys_pipeline, write_long_keys},
    {"quantiles of wild values", true, quantile_pipeline, write_quantiles},
    {"distinct of all keys", true, distinct_pipeline, write_distinct},
    {"revisions of all rows", true, revisions_pipeline, write_revisions},
    {"large message", false, message_pipeline, write_message},
    {"large message with a path", false, nested_message_pipeline, write_nested_message},
}};

}  // namespace

std::span<const MemoryCase> memory_cases() noexcept {
  return kCases;
}

}  // namespace weir::app
