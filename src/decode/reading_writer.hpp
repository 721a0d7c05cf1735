// The last step that all formats share: the texts of one reading become a row of the batch, or one refusal.
//
// A reading's values lie in slots: the event time, then the schema's keys, then its fields, both in declared order. The
// checks are made in that order and the first that fails gives the reason. A place in the dictionary is taken only when
// nothing else speaks against the reading. One decoder owns a writer; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/message.hpp"
#include "batch/row_writer.hpp"
#include "core/decimal.hpp"
#include "core/time_text.hpp"
#include "decode/key_cache.hpp"
#include "decode/lines.hpp"
#include "decode/token.hpp"
#include "decode/topic_captures.hpp"
#include "decode/value_forms.hpp"
#include "spec/stream_spec.hpp"

namespace weir::decode {

/// Bytes of a payload that determine a reading's keys; 7 bytes after them must be readable.
struct KeyBytes {
  std::string_view text;
  std::uint64_t hash = 0;  ///< from ReadingWriter::prepare, or
  bool looked_up = false;  ///< from ReadingWriter::begin_lookup
};

class ReadingWriter {
 public:
  /// @param stream, source must outlive the writer
  /// @param given_key_bytes write() gets key bytes (for a reading where they are empty, no cache is used); otherwise
  /// the cache works on the keys' own texts. One cache never holds both, for they could be confused.
  ReadingWriter(const spec::Stream& stream, const spec::Source& source, bool given_key_bytes = false);

  static constexpr std::size_t kTimeSlot = 0;
  [[nodiscard]] std::size_t key_slot(std::size_t key) const noexcept { return 1 + key; }
  [[nodiscard]] std::size_t field_slot(std::size_t field) const noexcept { return 1 + keys_ + field; }
  /// @brief Of the further parts of a time that is written in several; behind the fields.
  [[nodiscard]] std::size_t time_slot(std::size_t part) const noexcept { return 1 + keys_ + fields_.size() + part; }
  [[nodiscard]] std::size_t slots() const noexcept { return time_slot(stream_.time.more_fields.size()); }
  [[nodiscard]] const spec::Stream& stream() const noexcept { return stream_; }
  [[nodiscard]] bool captured_by_a_filter(std::size_t key) const noexcept { return captures_.captures(key); }

  /// @brief Takes the captured keys from the message's topic; they precede those of the payload. The message must
  /// live until the next call.
  void begin_message(const batch::MessageView& message, batch::RowWriter& rows);

  /// @brief Commits the reading, or rejects it once.
  /// @param values slots() texts, each with 7 readable bytes after it where it is a key or the time
  /// @param sample the reading's own text, for the dead letters
  /// @param key bytes that determine the keys taken from the payload, or empty
  void write(std::span<const Token> values, std::string_view sample, batch::RowWriter& rows, const KeyBytes& key = {}) {
    if (stream_.time.more_fields.empty()) [[likely]] {
      write_with([&] { return write_time(values[kTimeSlot], rows); }, values, sample, rows, key);
    } else {
      const Token time = arrival_ ? Token() : join_time(values);
      write_with([&] { return write_time(time, rows); }, values, sample, rows, key);
    }
  }

  /// @brief As write() for a reading whose time the format itself knows; nothing: it cannot be read.
  void write_at(std::optional<std::int64_t> ns, std::span<const Token> values, std::string_view sample,
                batch::RowWriter& rows) {
    const auto write_known_time = [&] {
      rows.time(ns.value_or(0));
      return ns ? std::nullopt : std::optional(batch::Malformed::bad_time);
    };
    write_with(write_known_time, values, sample, rows, {});
  }

  /// @brief What reading on needs to know of the times so far: "" or one line with its line break, in front of what
  /// else a decoder keeps.
  [[nodiscard]] std::string saved_order() const;
  /// @brief Takes that from the front of a decoder's state. @throws Error on damage
  void load_order(std::string_view& state);

  /// @brief Begins to look up the keys of a later reading.
  [[nodiscard]] KeyBytes prepare(std::string_view key_bytes) const noexcept {
    return {key_bytes, cache_.prepare(key_bytes)};
  }

  /// @brief There are more keys than the cache holds: the dictionary is asked at once, and better in good time.
  [[nodiscard]] bool uncached() const noexcept { return uncached_; }
  /// @brief Begins to look up a later reading's keys in the dictionary; then, some readings later, continue_lookup();
  /// and some later write(). Only where uncached().
  [[nodiscard]] KeyBytes begin_lookup(std::span<const std::string_view> tuple) const noexcept {
    const std::uint64_t hash = batch::KeyDictionary::hash(tuple);
    dictionary_->prefetch(hash);
    return {{}, hash, true};
  }
  void continue_lookup(const KeyBytes& key) const noexcept { dictionary_->prefetch_entry(key.hash); }

 private:
  struct Field {
    int places;
    bool required;
  };

  /// All steps of a reading, in one piece: this is the hot path of every format.
  template <class WriteTime>
  [[gnu::always_inline]] void write_with(const WriteTime& write_its_time, std::span<const Token> values,
                                         std::string_view sample, batch::RowWriter& rows, const KeyBytes& key) {
    std::optional<batch::Malformed> refused = write_its_time();
    if (!refused && !rows.takes_time()) [[unlikely]] {
      rows.refuse_time(sample);
      return;
    }
    std::uint32_t rounded = 0;
    if (!refused) {
      const bool known = write_known_key(key, rows);
      if (!known) {
        refused = collect_keys(values.subspan(1, keys_));
      }
      if (!refused) {
        const std::span<const Token> fields = values.subspan(1 + keys_, fields_.size());
        refused = write_fields(forms_.plain() ? fields : forms_.apply(fields), rows, rounded);
      }
      if (!refused && !known) {
        refused = intern_keys(key, rows);
      }
      if (refused) [[unlikely]] {
        rows.note_time();
      }
    }
    if (refused) [[unlikely]] {
      rows.reject(*refused, sample, std::exchange(blamed_, {}));
      return;
    }
    rows.commit(rounded);
  }

  // Each part returns why the reading is refused, if it is.
  std::optional<batch::Malformed> write_time(const Token& time, batch::RowWriter& rows) {
    if (arrival_) {
      rows.time(rows.arrival_ns());
      return std::nullopt;
    }
    if (last_time_.is(time.text)) {
      rows.time(last_time_.ns);
      return std::nullopt;
    }
    return read_time(time, rows);
  }

  /// The id that stands for the topic, or for the given bytes; false where it is not known yet.
  bool write_known_key(const KeyBytes& key, batch::RowWriter& rows) const noexcept {
    if (constant_key_) {
      rows.key(*constant_key_);
      return true;
    }
    if (captured_ == 0) {
      if (const auto id = cache_.find(key.text, key.hash)) {
        rows.key(*id);
        return true;
      }
    }
    return false;
  }

  std::optional<batch::Malformed> write_fields(std::span<const Token> values, batch::RowWriter& rows,
                                               std::uint32_t& rounded) {
    std::size_t absent = 0;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const Token& value = values[i];
      if (value.kind == Token::Kind::number || value.kind == Token::Kind::text) [[likely]] {
        ParsedDecimal decimal = parse_decimal(value.text, fields_[i].places);
        if (decimal.status == DecimalStatus::not_a_number) [[unlikely]] {
          decimal = parse_decimal(trimmed(value.text), fields_[i].places);
        }
        if (decimal.status > DecimalStatus::rounded) [[unlikely]] {
          blame_field(i);
          return decimal.status == DecimalStatus::out_of_range ? batch::Malformed::out_of_range
                                                               : batch::Malformed::not_a_number;
        }
        rounded += decimal.status == DecimalStatus::rounded ? 1U : 0U;
        rows.field(i, decimal.units);
      } else if (value.missing()) {
        if (fields_[i].required) {
          blame_field(i);
          return batch::Malformed::missing_field;
        }
        ++absent;
        rows.null_field(i);
      } else {
        blame_field(i);
        return batch::Malformed::not_a_number;
      }
    }
    if (absent == fields_.size() && absent != 0) [[unlikely]] {
      return batch::Malformed::missing_field;
    }
    return std::nullopt;
  }

  /// Neighbouring readings often carry the same time: its text is read once.
  struct LastTime {
    std::array<char, 40> bytes{};
    std::size_t size = 0;  ///< 0: none
    std::int64_t ns = 0;

    [[nodiscard]] bool is(std::string_view text) const noexcept {
      if (text.size() != size || size == 0) {
        return false;
      }
      for (std::size_t i = 0; i < words_of(size); ++i) {
        if (load_word(text, i) != load_word({bytes.data(), size}, i)) {
          return false;
        }
      }
      return true;
    }
    void set(std::string_view text, std::int64_t read) noexcept {
      // load_word reads whole words of `bytes`.
      size = text.size() <= bytes.size() - 8 ? text.size() : 0;
      std::memcpy(bytes.data(), text.data(), size);
      ns = read;
    }
  };

  void blame_field(std::size_t i);
  [[nodiscard]] Token join_time(std::span<const Token> values);
  std::optional<batch::Malformed> read_time(const Token& time, batch::RowWriter& rows);
  void show_doubt(std::string_view text, std::optional<std::int64_t> ns);
  std::optional<batch::Malformed> collect_keys(std::span<const Token> keys);
  std::optional<std::uint32_t> id_of_keys(std::uint64_t hash, batch::RowWriter& rows);
  void forget_old_ids(batch::RowWriter& rows);
  std::optional<batch::Malformed> intern_keys(const KeyBytes& given, batch::RowWriter& rows);

  const spec::Stream& stream_;
  const bool arrival_;
  const bool given_key_bytes_;
  const std::size_t keys_;
  const std::size_t max_key_bytes_;  // of a tuple, for the dictionary keeps it
  std::vector<Field> fields_;
  ValueForms forms_;
  TimeReader time_;
  LocalOrder local_order_;
  std::string joined_time_;
  LastTime last_time_;
  bool doubt_shown_ = false;  // about the unit of the times
  TopicCaptures captures_;
  const bool captures_any_;
  std::vector<Token> captured_keys_;           // of the message; absent where the payload gives the key
  std::size_t captured_ = 0;                   // how many of them are present
  std::optional<std::uint32_t> constant_key_;  // no key comes from the payload
  std::vector<std::string_view> tuple_;
  KeyCache cache_;
  const batch::KeyDictionary* dictionary_ = nullptr;  // whose ids the cache holds
  std::uint64_t generation_ = 0;                      // of them
  bool uncached_ = false;
  std::string_view blamed_;  // the member for which the reading is refused, if one is
};

}  // namespace weir::decode
