// Runs a decoder over messages and keeps every row and every refusal as plain values, for tests and fuzzers.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/batch.hpp"
#include "batch/key_dictionary.hpp"
#include "batch/row_writer.hpp"
#include "decode/decoder.hpp"

namespace weir::decode::testing {

struct Row {
  std::int64_t time = 0;
  std::vector<std::string> keys;
  std::vector<std::int64_t> fields;
  friend bool operator==(const Row&, const Row&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Row& row) {
    out << "{" << row.time << "; ";
    for (const std::string& key : row.keys) {
      out << key << ", ";
    }
    out << "; ";
    for (const std::int64_t units : row.fields) {
      out << units << ", ";
    }
    return out << "}";
  }
};

struct Refusal {
  batch::Malformed reason{};
  std::string sample;
  friend bool operator==(const Refusal&, const Refusal&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
    return out << name(refusal.reason) << ": " << refusal.sample;
  }
};

class Decoding final : private batch::RowWriter::Owner {
 public:
  static constexpr std::int64_t kArrival = 1'700'000'000'000'000'000;

  /// @param stream with exactly one source
  explicit Decoding(spec::Stream stream, std::uint32_t capacity = 3)
      : stream_(std::move(stream)),
        dictionary_(stream_.schema.keys.size(), stream_.max_keys),
        batch_(stream_.schema.fields.size(), capacity),
        rows_(dictionary_, *this),
        decoder_(make_decoder(stream_, stream_.sources.at(0))) {
    rows_.attach(batch_);
  }

  Decoding& file(std::string_view payload, bool starts_file = false) {
    batch::MessageView message;
    message.payload = payload;
    message.starts_file = starts_file;
    return decode(message);
  }
  Decoding& topic(std::string_view topic, std::string_view payload) {
    batch::MessageView message;
    message.payload = payload;
    message.topic = topic;
    return decode(message);
  }
  Decoding& decode(batch::MessageView message) {
    // The decoder may not look past the payload: a copy of exactly its size lets AddressSanitizer see it.
    const auto bytes = std::make_unique<char[]>(message.payload.size());
    message.payload.copy(bytes.get(), message.payload.size());
    message.payload = {bytes.get(), message.payload.size()};
    rows_.begin_message(0, kArrival, latest_time);
    decoder_->decode(message, rows_);
    return *this;
  }
  /// @brief So many keys more are known, as after long runs with other readings: "other 0", "other 1", …
  Decoding& know_keys(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::string text = "other " + std::to_string(i);
      const std::vector<std::string_view> tuple(dictionary_.arity(), text);
      dictionary_.intern(tuple);
    }
    return *this;
  }
  /// @brief From now on only readings with an event time in [from, to) are asked for.
  Decoding& range(std::int64_t from, std::int64_t to) {
    rows_.set_range(from, to);
    return *this;
  }
  Decoding& finish() {
    rows_.begin_message(0, kArrival, latest_time);
    decoder_->finish(rows_);
    return *this;
  }

  [[nodiscard]] bool holds_back() const { return decoder_->holds_back(); }

  /// @brief Everything so far.
  const std::vector<Row>& rows() {
    drain();
    return done_;
  }
  [[nodiscard]] const std::vector<Refusal>& refusals() const { return refusals_; }
  /// @brief The member that is to blame for each of them.
  [[nodiscard]] const std::vector<std::string>& blamed() const { return blamed_; }
  std::uint64_t received() {
    drain();
    return received_;
  }
  std::uint64_t rounded() {
    drain();
    return rounded_;
  }

  std::int64_t latest_time = std::numeric_limits<std::int64_t>::max();

 private:
  batch::Batch& batch_full(batch::Batch& full) override {
    keep(full);
    return full;
  }
  void malformed(batch::Malformed reason, std::string_view sample, std::string_view member) override {
    refusals_.push_back({reason, std::string(sample)});
    blamed_.emplace_back(member);
  }
  void drain() {
    keep(batch_);
    rows_.attach(batch_);
  }
  void keep(batch::Batch& batch) {
    for (std::uint32_t i = 0; i < batch.size(); ++i) {
      Row row;
      row.time = batch.times()[i];
      for (std::size_t key = 0; key < dictionary_.arity(); ++key) {
        row.keys.emplace_back(dictionary_.value(batch.keys()[i], key));
      }
      for (std::size_t field = 0; field < batch.fields(); ++field) {
        row.fields.push_back(batch.field(field)[i]);
      }
      done_.push_back(std::move(row));
    }
    received_ += batch.received;
    rounded_ += batch.rounded;
    batch.clear();
  }

  std::vector<std::string> blamed_;
  const spec::Stream stream_;
  batch::KeyDictionary dictionary_;
  batch::Batch batch_;
  batch::RowWriter rows_;
  std::unique_ptr<Decoder> decoder_;
  std::vector<Row> done_;
  std::vector<Refusal> refusals_;
  std::uint64_t received_ = 0;
  std::uint64_t rounded_ = 0;
};

/// @brief A stream with one source of `format`, read as lines from a file unless told otherwise.
inline spec::Stream make_stream(spec::FormatKind format, std::vector<spec::Key> keys, std::vector<spec::Field> fields,
                                spec::SourceKind kind = spec::SourceKind::file) {
  spec::Stream stream;
  stream.name = "test";
  stream.schema.keys = std::move(keys);
  stream.schema.fields = std::move(fields);
  stream.time.field = "t";
  stream.time.unit = TimeUnit::seconds;
  spec::Source source;
  source.kind = kind;
  source.format.kind = format;
  stream.sources.push_back(std::move(source));
  return stream;
}

inline spec::Key key(std::string name, std::string path = {}) {
  return {std::move(name), std::move(path)};
}
inline spec::Field field(std::string name, int places = 3, std::string path = {}, bool required = false) {
  return {std::move(name), places, std::move(path), required};
}

}  // namespace weir::decode::testing
