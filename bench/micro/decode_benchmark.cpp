// How fast payload bytes become rows, one thread: bytes/s and readings/s by format. Every case checks its rows and sums
// against what it generated before it is timed.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "batch/batch.hpp"
#include "batch/key_dictionary.hpp"
#include "batch/row_writer.hpp"
#include "decode/decoder.hpp"

namespace {

using namespace weir;

constexpr std::size_t kRows = 100'000;

/// A fixed sequence (xorshift64), the same on every machine.
class Sequence {
 public:
  std::uint64_t next() {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    return state_;
  }

 private:
  std::uint64_t state_ = 0x9E37'79B9'7F4A'7C15U;
};

class Recycler final : public batch::RowWriter::Owner {
 public:
  batch::Batch& batch_full(batch::Batch& full) override {
    rows += full.size();
    for (std::uint32_t i = 0; check && i < full.size(); ++i) {
      sum += full.field(0)[i];
    }
    full.clear();
    return full;
  }
  void malformed(batch::Malformed, std::string_view, std::string_view) override { ++refused; }

  bool check = false;
  std::uint64_t rows = 0;
  std::uint64_t refused = 0;
  std::int64_t sum = 0;
};

struct Input {
  std::string text;
  std::int64_t sum = 0;
};

/// @param row format arguments: time in s, value's whole and fraction part, plug, household, house
Input make_input(std::string_view row, std::uint64_t keys, std::uint64_t rows_per_second) {
  Input input;
  Sequence sequence;
  for (std::size_t i = 0; i < kRows; ++i) {
    const std::uint64_t units = sequence.next() % 200'000;
    const std::uint64_t key = sequence.next() % keys;
    input.sum += static_cast<std::int64_t>(units);
    input.text += fmt::format(fmt::runtime(row), 1'377'986'401 + i / rows_per_second, units / 1000, units % 1000,
                              key % 20, key / 20 % 20, key / 400);
  }
  return input;
}

spec::Stream make_stream(spec::FormatKind kind, const std::string& separator) {
  spec::Stream stream;
  stream.schema.keys = {{"house", ""}, {"household", ""}, {"plug", ""}};
  stream.schema.fields = {{"load", 3, "", false}};
  stream.time.field = "ts";
  stream.time.unit = TimeUnit::seconds;
  spec::Source source;
  source.format.kind = kind;
  source.format.separator = separator;
  source.format.columns = {"ts", "load", "plug", "household", "house"};
  stream.sources.push_back(source);
  return stream;
}

void run(benchmark::State& state, spec::FormatKind kind, const std::string& separator, std::string_view row,
         std::uint64_t rows_per_second) {
  const Input input = make_input(row, static_cast<std::uint64_t>(state.range(0)), rows_per_second);
  const spec::Stream stream = make_stream(kind, separator);
  const std::unique_ptr<decode::Decoder> decoder = decode::make_decoder(stream, stream.sources.front());
  batch::KeyDictionary keys(3, 1'000'000);
  Recycler owner;
  batch::RowWriter rows(keys, owner);
  batch::Batch batch(1, 65'536);
  rows.attach(batch);
  // Sources read files in blocks of about this size.
  constexpr std::size_t kBlock = 256U * 1024U;
  const auto pass = [&] {
    rows.begin_message(0, 0, std::numeric_limits<std::int64_t>::max());
    for (std::size_t at = 0; at < input.text.size();) {
      std::size_t end = input.text.find('\n', std::min(at + kBlock, input.text.size() - 1)) + 1;
      batch::MessageView message;
      message.payload = std::string_view(input.text).substr(at, end - at);
      decoder->decode(message, rows);
      at = end;
    }
  };
  owner.check = true;
  pass();
  owner.batch_full(batch);
  rows.attach(batch);
  if (owner.rows != kRows || owner.refused != 0 || owner.sum != input.sum) {
    state.SkipWithError("wrong rows");
    return;
  }
  owner.check = false;
  for (auto _ : state) {
    pass();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(input.text.size()));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
  state.counters["row_bytes"] = static_cast<double>(input.text.size()) / kRows;
}

void CsvComma(benchmark::State& state) {
  run(state, spec::FormatKind::csv, ",", "{},{}.{:03},{},{},{}\n", 1000);
}
void CsvCommaNewTimeEachRow(benchmark::State& state) {
  run(state, spec::FormatKind::csv, ",", "{},{}.{:03},{},{},{}\n", 1);
}
void CsvCommaQuotedKeys(benchmark::State& state) {
  run(state, spec::FormatKind::csv, ",", "{},{}.{:03},\"{}\",\"{}\",\"{}\"\n", 1000);
}
void CsvBlanks(benchmark::State& state) {
  run(state, spec::FormatKind::csv, " ", "{} {}.{:03}     {}    {}     {}\n", 1000);
}
void JsonLines(benchmark::State& state) {
  run(state, spec::FormatKind::json, ",",
      "{{\"ts\":{},\"load\":{}.{:03},\"plug\":\"{}\",\"household\":\"{}\",\"house\":\"{}\"}}\n", 1000);
}
void JsonLinesSpaced(benchmark::State& state) {
  run(state, spec::FormatKind::json, ",",
      "{{\"ts\": {}, \"load\": {}.{:03}, \"plug\": {}, \"household\": {}, \"house\": {}, \"unit\": \"W\"}}\n", 1000);
}

BENCHMARK(CsvComma)->Arg(470)->Arg(10'000)->Arg(100'000);
BENCHMARK(CsvCommaNewTimeEachRow)->Arg(470);
BENCHMARK(CsvCommaQuotedKeys)->Arg(470);
BENCHMARK(CsvBlanks)->Arg(470)->Arg(10'000);
BENCHMARK(JsonLines)->Arg(470)->Arg(10'000);
BENCHMARK(JsonLinesSpaced)->Arg(470);

}  // namespace
