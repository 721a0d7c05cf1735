// SenML packs as readings, in one of two forms.
//
// By record, when a key is taken from a record's name, unit or text ("n", "u", "vs") or a field from its value or sum
// ("v", "s"): each record with a number is a reading.
// By name otherwise: fields are records of that name (own or resolved); those with the same base name and the same
// resolved time are one reading, in the order in which the pack brings them. A record whose field is already taken
// begins another reading of that time: nothing is lost. Keys are "bn" or records of that name.
// A pack with records but without a reading counts as one missing_field; a broken one as one bad_payload, whole, for
// its records depend on each other.
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "decode/formats.hpp"
#include "decode/json_lines.hpp"
#include "decode/lines.hpp"
#include "decode/padded_text.hpp"
#include "decode/reading_writer.hpp"
#include "decode/senml_pack.hpp"

namespace weir::decode {
namespace {

using batch::Malformed;

constexpr std::size_t kKeptText = std::size_t{256} << 10U;
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// What a key or field is taken from.
struct From {
  enum class What : std::uint8_t { resolved_name, base_name, unit, value, sum, text, record };
  What what = What::record;
  std::string record;  ///< name of the record, for What::record
};

From from(const std::string& name, const std::string& path) {
  const std::string& label = path.empty() ? name : path;
  if (label == "n") {
    return {From::What::resolved_name, {}};
  }
  if (label == "bn") {
    return {From::What::base_name, {}};
  }
  if (label == "u") {
    return {From::What::unit, {}};
  }
  if (label == "v") {
    return {From::What::value, {}};
  }
  if (label == "s") {
    return {From::What::sum, {}};
  }
  if (label == "vs" || label == "sv" || label == "vb" || label == "vd") {
    return {From::What::text, {}};
  }
  return {From::What::record, label};
}

bool is_named(const SenmlRecord& record, const std::string& name) noexcept {
  return record.own_name == name || record.has_resolved_name(name);
}

/// Records of one base name and time.
struct Moment {
  std::string_view base_name;
  std::optional<std::int64_t> time_ns;
  friend bool operator==(const Moment&, const Moment&) = default;
};
struct MomentHash {
  std::size_t operator()(const Moment& moment) const noexcept {
    // Shifted apart, so that equal halves do not cancel.
    return std::hash<std::string_view>{}(moment.base_name) ^
           (std::hash<std::int64_t>{}(moment.time_ns.value_or(-1)) * 31U);
  }
};

class SenmlDecoder final : public Decoder {
 public:
  SenmlDecoder(const spec::Stream& stream, const spec::Source& source)
      : writer_(stream, source),
        lines_(line_oriented(source)),
        json_lines_(text_, false, false, source.max_message),
        pack_(stream.time.unit),
        keys_(stream.schema.keys.size()),
        fields_(stream.schema.fields.size()),
        values_(writer_.slots()),
        sums_(fields_) {
    for (const spec::Key& key : stream.schema.keys) {
      from_.push_back(from(key.name, key.path));
      by_record_ =
          by_record_ || (from_.back().what != From::What::record && from_.back().what != From::What::base_name);
    }
    for (const spec::Field& field : stream.schema.fields) {
      from_.push_back(from(field.name, field.path));
      by_record_ = by_record_ || from_.back().what == From::What::value || from_.back().what == From::What::sum;
      has_switches_ = has_switches_ || field.is_switch;
    }
    const std::string& time = stream.time.field;
    if (!stream.time.arrival && !time.empty() && time != "t" && time != "bt") {
      time_record_ = time;
    }
    own_time_ = !stream.time.arrival && time_record_.empty();
  }

  void read(const batch::MessageView& message, batch::RowWriter& rows) override {
    writer_.begin_message(message, rows);
    read(without_byte_order_mark(message.payload), message.starts_file, rows);
    // What a rare long text took is not kept for the next one, by every source.
    text_.release_above(kKeptText);
    pack_.release_above(kKeptText);
  }

  void finish(batch::RowWriter& rows) override {
    Packs packs{*this, rows};
    json_lines_.finish(packs);
  }
  [[nodiscard]] bool holds_back() const noexcept override { return json_lines_.holds_back(); }
  void save(std::string& state) const override {
    json_lines_.save(state);
    state.insert(0, writer_.saved_order());
  }
  void load(std::string_view state) override {
    writer_.load_order(state);
    json_lines_.load(state);
  }

 private:
  void read(std::string_view payload, bool starts_file, batch::RowWriter& rows) {
    Packs packs{*this, rows};
    if (lines_) {
      json_lines_.read(payload, starts_file, packs);
      return;
    }
    text_.assign(payload);
    // A payload of several lines that is not one pack may be one pack a line.
    const std::string_view text = text_.view();
    std::size_t second = 0;
    if (packs.line(text)) {
      return;
    }
    if (pack_.is_newer()) {
      packs.refuse(text);
      return;
    }
    if (trimmed(text).empty() || !read_pack(next_line(text, second), rows)) {
      rows.reject(Malformed::bad_payload, text);
      return;
    }
    for (std::size_t at = 0; at < text.size();) {
      const std::string_view line = next_line(text, at);
      if (!trimmed(line).empty()) {
        packs.value(line);
      }
    }
  }

  /// What JsonLines finds.
  struct Packs {
    SenmlDecoder& decoder;
    batch::RowWriter& rows;

    bool line(std::string_view text) {
      const bool readable = decoder.read_pack(text, rows);
      if (readable) {
        decoder.write_pack(text, rows);
      }
      return readable;
    }
    void value(std::string_view text) {
      if (!line(text)) {
        refuse(text);
      }
    }
    void refuse(std::string_view text) {
      rows.reject(Malformed::bad_payload, text, decoder.pack_.is_newer() ? "bver" : "");
    }
    void damaged(std::string_view text) { rows.reject(Malformed::bad_payload, text); }
  };

  bool read_pack(std::string_view text, const batch::RowWriter& rows) {
    // Some archives put a time stamp and a comma in front of the pack.
    const std::size_t begin = text.find_first_of("[{");
    // Recorded files carry no arrival.
    const std::optional<std::int64_t> now = rows.arrival_ns() != 0 ? std::optional(rows.arrival_ns()) : std::nullopt;
    return begin != std::string_view::npos && pack_.read(text.substr(begin), now);
  }

  void write_pack(std::string_view sample, batch::RowWriter& rows) {
    if (pack_.records().empty()) {
      return;
    }
    collect();
    const bool any = by_record_ ? write_records(sample, rows) : write_readings(sample, rows);
    if (!any) {
      rows.reject(Malformed::missing_field, sample);
    }
  }

  /// Sorts the pack's records into moments, readings and the records that give keys.
  void collect() {
    moments_.clear();
    readings_.clear();
    next_reading_.clear();
    next_of_moment_.clear();
    taken_.clear();
    moment_keys_.clear();
    pack_keys_.assign(keys_ + 1, kNone);
    record_moments_.clear();
    const std::vector<SenmlRecord>& records = pack_.records();
    for (std::size_t i = 0; i < records.size(); ++i) {
      const std::size_t moment = moment_of(records[i], i);
      record_moments_.push_back(moment);
      for (std::size_t key = 0; key <= keys_; ++key) {
        if (gives_key(records[i], key)) {
          std::size_t& of_moment = moment_keys_[moment * (keys_ + 1) + key];
          of_moment = of_moment == kNone ? i : of_moment;
          pack_keys_[key] = pack_keys_[key] == kNone ? i : pack_keys_[key];
        }
      }
      for (std::size_t field = 0; !by_record_ && field < fields_; ++field) {
        if (from_[keys_ + field].what == From::What::record && is_named(records[i], from_[keys_ + field].record)) {
          take(moment, field, i);
        }
      }
    }
  }

  /// `key` == keys_ stands for the time.
  [[nodiscard]] bool gives_key(const SenmlRecord& record, std::size_t key) const noexcept {
    if (key == keys_) {
      return !time_record_.empty() && is_named(record, time_record_);
    }
    return from_[key].what == From::What::record && is_named(record, from_[key].record);
  }

  std::size_t moment_of(const SenmlRecord& record, std::size_t index) {
    const auto [found, is_new] = moments_.try_emplace({record.base_name, record.time_ns}, moments_.size());
    if (is_new) {
      next_of_moment_.push_back(kNone);
      next_reading_.insert(next_reading_.end(), fields_, kNone);
      moment_keys_.insert(moment_keys_.end(), keys_ + 1, kNone);
      if (fields_ == 0 && !by_record_) {
        add_reading(found->second, index);
      }
    }
    return found->second;
  }

  /// The number of a record, or its switch where the field is one.
  Token value_of(const SenmlRecord& record, std::size_t field) {
    const bool is_switch = writer_.stream().schema.fields[field].is_switch && record.value.missing() &&
                           record.text.kind == Token::Kind::boolean;
    return is_switch ? record.text : senml_sum(record.base_value, record.value, sums_[field]);
  }

  struct Reading {
    std::size_t moment = 0;
    std::size_t record = 0;    ///< its first
    std::size_t next = kNone;  ///< of the same moment
  };

  std::size_t add_reading(std::size_t moment, std::size_t record) {
    readings_.push_back({moment, record, kNone});
    taken_.insert(taken_.end(), fields_, kNone);
    return readings_.size() - 1;
  }

  /// Gives record `record` as `field` to the first reading of the moment that lacks it.
  void take(std::size_t moment, std::size_t field, std::size_t record) {
    std::size_t& last = next_reading_[moment * fields_ + field];  // the last reading that has the field
    std::size_t reading = last == kNone ? next_of_moment_[moment] : readings_[last].next;
    if (reading == kNone) {
      reading = add_reading(moment, record);
      if (last == kNone) {
        next_of_moment_[moment] = reading;
      } else {
        readings_[last].next = reading;
      }
    }
    taken_[reading * fields_ + field] = record;
    last = reading;
  }

  bool write_readings(std::string_view sample, batch::RowWriter& rows) {
    const std::vector<SenmlRecord>& records = pack_.records();
    for (std::size_t i = 0; i < readings_.size(); ++i) {
      for (std::size_t field = 0; field < fields_; ++field) {
        const std::size_t record = taken_[i * fields_ + field];
        values_[writer_.field_slot(field)] = {};
        if (record != kNone) {
          values_[writer_.field_slot(field)] = value_of(records[record], field);
        }
      }
      write(records[readings_[i].record], readings_[i].moment, sample, rows);
    }
    return !readings_.empty();
  }

  bool write_records(std::string_view sample, batch::RowWriter& rows) {
    bool any = false;
    const std::vector<SenmlRecord>& records = pack_.records();
    for (std::size_t i = 0; i < records.size(); ++i) {
      const SenmlRecord& record = records[i];
      if (record.value.missing() && record.sum.missing() && !record.text.missing() &&
          !(has_switches_ && record.text.kind == Token::Kind::boolean)) {
        continue;  // a text belongs to the pack, as a key or as nothing
      }
      for (std::size_t field = 0; field < fields_; ++field) {
        const From& source = from_[keys_ + field];
        Token& value = values_[writer_.field_slot(field)];
        if (source.what == From::What::sum) {
          value = senml_sum(record.base_sum, record.sum, sums_[field]);
        } else if (source.what == From::What::value ||
                   (source.what == From::What::record && is_named(record, source.record))) {
          value = value_of(record, field);
        } else {
          value = {};
        }
      }
      write(record, record_moments_[i], sample, rows);
      any = true;
    }
    return any;
  }

  [[nodiscard]] Token key_token(const SenmlRecord& record, std::size_t moment, std::size_t key) {
    switch (key == keys_ ? From::What::record : from_[key].what) {
      case From::What::resolved_name:
        name_.assign(record.base_name).append(record.own_name);
        return {name_, name_.empty() ? Token::Kind::absent : Token::Kind::text};
      case From::What::base_name:
        return {record.base_name, record.base_name.empty() ? Token::Kind::absent : Token::Kind::text};
      case From::What::unit:
        return record.unit;
      case From::What::text:
        return record.text;
      case From::What::value:
        return record.value;
      case From::What::sum:
        return record.sum;
      case From::What::record:
        break;
    }
    const std::size_t own = moment_keys_[moment * (keys_ + 1) + key];
    const std::size_t found = own != kNone ? own : pack_keys_[key];
    if (found == kNone) {
      return {};
    }
    const SenmlRecord& giver = pack_.records()[found];
    return giver.text.missing() ? giver.value : giver.text;
  }

  /// The fields are in their slots.
  void write(const SenmlRecord& record, std::size_t moment, std::string_view sample, batch::RowWriter& rows) {
    if (own_time_ && record.lacks_now) {
      rows.reject(Malformed::missing_time, sample, "t");
      return;
    }
    for (std::size_t key = 0; key < keys_; ++key) {
      values_[writer_.key_slot(key)] = key_token(record, moment, key);
    }
    if (own_time_) {
      writer_.write_at(record.time_ns, values_, sample, rows);
    } else {
      values_[ReadingWriter::kTimeSlot] = key_token(record, moment, keys_);
      writer_.write(values_, sample, rows);
    }
  }

  ReadingWriter writer_;
  const bool lines_;
  PaddedText text_;
  JsonLines json_lines_;
  SenmlPack pack_;
  const std::size_t keys_;
  const std::size_t fields_;
  std::vector<From> from_;  // keys, then fields
  bool by_record_ = false;
  bool has_switches_ = false;
  std::string time_record_;  // the record that gives the time; empty: each record's own
  bool own_time_ = true;

  std::unordered_map<Moment, std::size_t, MomentHash> moments_;
  std::vector<std::size_t> record_moments_;
  std::vector<std::size_t> next_of_moment_;  // a moment's first reading
  std::vector<std::size_t> next_reading_;    // moment, field: the last reading that has the field
  std::vector<std::size_t> moment_keys_;     // moment, key or time: the record that gives it
  std::vector<std::size_t> pack_keys_;       // the same for the whole pack
  std::vector<Reading> readings_;
  std::vector<std::size_t> taken_;  // reading, field: its record
  std::vector<Token> values_;
  std::vector<std::string> sums_;  // a field, where its value is a sum
  std::string name_;
};

}  // namespace

std::unique_ptr<Decoder> make_senml_decoder(const spec::Stream& stream, const spec::Source& source) {
  return std::make_unique<SenmlDecoder>(stream, source);
}

}  // namespace weir::decode
