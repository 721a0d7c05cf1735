// InfluxDB's line protocol: a point is a reading, or a line of it that is damaged one that is refused.
//
// Keys are tags, fields of that name where the line has no such tag, or the measurement; fields are fields. The event
// time is the point's timestamp, or the tag or field that `time` names. Of equal names the last counts.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/log.hpp"
#include "core/spelling.hpp"
#include "core/time_text.hpp"
#include "decode/formats.hpp"
#include "decode/line_point.hpp"
#include "decode/lines.hpp"
#include "decode/padded_text.hpp"
#include "decode/reading_writer.hpp"

namespace weir::decode {
namespace {

using batch::Malformed;

constexpr std::size_t kKeptText = std::size_t{1} << 20U;
constexpr std::string_view kMeasurement = "_measurement";

// A key's text has readable bytes after it.
constexpr char kTrue[16] = "true";
constexpr char kFalse[16] = "false";

TimeUnit unit_of(const spec::Time& time) noexcept {
  return time.unit == TimeUnit::automatic ? TimeUnit::nanoseconds : time.unit;
}

bool is_digit(char c) noexcept {
  return static_cast<unsigned char>(c - '0') <= 9;
}

bool all_digits(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// A value without quotes. What is no number says so later, where somebody wants the field.
Token bare_value(std::string_view raw) noexcept {
  const auto is_one_of = [raw](std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), raw) != words.end();
  };
  const char first = raw.front();
  if (is_digit(first) || first == '-' || first == '+' || first == '.') {
    const std::string_view whole = raw.substr(0, raw.size() - 1);
    const bool is_integer = raw.back() == 'i' && all_digits(first == '-' ? whole.substr(1) : whole);
    const bool is_unsigned = raw.back() == 'u' && all_digits(whole);
    return {is_integer || is_unsigned ? whole : raw, Token::Kind::number};
  }
  if (is_one_of({"t", "T", "true", "True", "TRUE"})) {
    return {{kTrue, 4}, Token::Kind::boolean};
  }
  if (is_one_of({"f", "F", "false", "False", "FALSE"})) {
    return {{kFalse, 5}, Token::Kind::boolean};
  }
  return {raw, Token::Kind::text};
}

/// Names that are wanted, with their slots.
class Wanted {
 public:
  void add(const std::string& name, std::size_t slot) {
    auto found = std::find_if(names_.begin(), names_.end(), [&](const Name& known) { return known.text == name; });
    if (found == names_.end()) {
      found = names_.insert(found, {name, {}});
    }
    found->slots.push_back(slot);
  }

  /// @brief The slots of a name, or nullptr. Points of a stream mostly have their names in one order.
  const std::vector<std::size_t>* find(std::string_view name) noexcept {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const std::size_t at = (expected_ + i) % names_.size();
      if (names_[at].text == name) {
        expected_ = at + 1;
        return &names_[at].slots;
      }
    }
    return nullptr;
  }

 private:
  struct Name {
    std::string text;
    std::vector<std::size_t> slots;
  };
  std::vector<Name> names_;
  std::size_t expected_ = 0;
};

class LineDecoder final : public Decoder {
 public:
  LineDecoder(const spec::Stream& stream, const spec::Source& source)
      : writer_(stream, source),
        measurements_(source.format.measurements),
        name_(source.path.empty() ? "" : fmt::format(", '{}'", source.path)),
        lines_(line_oriented(source)),
        own_time_(!stream.time.arrival && stream.time.field.empty()),
        guessed_unit_(stream.time.unit == TimeUnit::automatic),
        time_(own_time_ ? TimeReader(unit_of(stream.time)) : TimeReader()),
        values_(writer_.slots()),
        tagged_(writer_.slots()),
        scratch_(writer_.slots()) {
    const auto label = [](const std::string& name, const std::string& path) { return path.empty() ? name : path; };
    const auto add_label = [&](const std::string& name, std::size_t slot) {
      if (name == kMeasurement) {
        measurement_slots_.push_back(slot);
      } else {
        tags_.add(name, slot);
        fields_.add(name, slot);
      }
    };
    if (!stream.time.arrival && !stream.time.field.empty()) {
      add_label(stream.time.field, ReadingWriter::kTimeSlot);
    }
    for (std::size_t i = 0; i < stream.schema.keys.size(); ++i) {
      add_label(label(stream.schema.keys[i].name, stream.schema.keys[i].path), writer_.key_slot(i));
    }
    for (std::size_t i = 0; i < stream.schema.fields.size(); ++i) {
      fields_.add(label(stream.schema.fields[i].name, stream.schema.fields[i].path), writer_.field_slot(i));
    }
  }

  void read(const batch::MessageView& message, batch::RowWriter& rows) override {
    writer_.begin_message(message, rows);
    if (message.starts_file) {
      take_rest(rows);
    }
    const std::string_view payload =
        message.starts_file || !lines_ ? without_byte_order_mark(message.payload) : message.payload;
    if (!held_back_.empty()) {
      held_back_.append(payload);
      if (payload.find('"') == std::string_view::npos && held_back_.size() < kLongestLines) {
        held_back_.append(payload.ends_with('\n') ? "" : "\n");
        return;  // the open string goes on
      }
      text_.assign(held_back_);
      held_back_.clear();
    } else {
      text_.assign(payload);
    }
    if (lines_ && !text_.view().empty() && text_.view().back() != '\n') {
      text_.push_back('\n');
    }
    read(text_.view(), !lines_, rows);
    text_.release_above(kKeptText);
  }

  void finish(batch::RowWriter& rows) override {
    take_rest(rows);
    warn_of_others();
  }

  [[nodiscard]] bool holds_back() const noexcept override { return !held_back_.empty(); }

  // What read_line_point finds.
  void measurement(const LineText& text) {
    std::fill(values_.begin(), values_.end(), Token{});
    std::fill(tagged_.begin(), tagged_.end(), false);
    timestamp_ = {};
    if (measurements_.empty() && measurement_slots_.empty()) {
      return;
    }
    const std::string_view name = unescaped(text, kLineMeasurementEscapes, measurement_);
    wanted_ =
        measurements_.empty() || std::find(measurements_.begin(), measurements_.end(), name) != measurements_.end();
    any_wanted_ = any_wanted_ || wanted_;
    if (!wanted_) {
      note_other(name);
    }
    for (const std::size_t slot : measurement_slots_) {
      values_[slot] = {name, Token::Kind::text};
    }
  }
  void tag(const LineText& name, const LineText& value) {
    const std::vector<std::size_t>* const slots = wanted_ ? tags_.find(name_of(name)) : nullptr;
    if (slots == nullptr) {
      return;
    }
    for (const std::size_t slot : *slots) {
      // InfluxDB has no empty tags: it is as if it was not there.
      tagged_[slot] = !value.raw.empty();
      values_[slot] =
          value.raw.empty() ? Token{} : Token{unescaped(value, kLineNameEscapes, scratch_[slot]), Token::Kind::text};
    }
  }
  void field(const LineText& name, const LineText& value, bool is_string) {
    const std::vector<std::size_t>* const slots = wanted_ ? fields_.find(name_of(name)) : nullptr;
    if (slots == nullptr) {
      return;
    }
    for (const std::size_t slot : *slots) {
      if (!tagged_[slot]) {
        values_[slot] = is_string ? Token{unescaped(value, kLineStringEscapes, scratch_[slot]), Token::Kind::text}
                                  : bare_value(value.raw);
      }
    }
  }
  void timestamp(std::string_view text) { timestamp_ = text; }

 private:
  std::string_view name_of(const LineText& name) { return unescaped(name, kLineNameEscapes, unescaped_name_); }

  /// No more of the file follows.
  void take_rest(batch::RowWriter& rows) {
    if (!held_back_.empty()) {
      text_.assign(held_back_);
      held_back_.clear();
      read(text_.view(), true, rows);
    }
  }

  void read(std::string_view text, bool complete, batch::RowWriter& rows) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = at;
      const LineStatus status = read_line_point(text, at, complete, *this);
      if (status == LineStatus::incomplete) {
        held_back_ = text.substr(begin);
        return;
      }
      if (status != LineStatus::nothing) {
        write(status, trimmed(text.substr(begin, at - begin)), rows);
      }
    }
  }

  void write(LineStatus status, std::string_view sample, batch::RowWriter& rows) {
    if (sample.size() > kLongestReading) {
      rows.reject(Malformed::too_large, sample);
    } else if (status == LineStatus::broken) {
      rows.reject(Malformed::bad_payload, sample);
    } else if (!wanted_) {
      return;
    } else if (!own_time_) {
      writer_.write(values_, sample, rows);
    } else if (!timestamp_.empty()) {
      const std::optional<std::int64_t> ns = time_.read(timestamp_);
      show_doubt(ns);
      writer_.write_at(ns, values_, sample, rows);
    } else if (rows.arrival_ns() != 0) {
      writer_.write_at(rows.arrival_ns(), values_, sample, rows);
    } else {
      // Recorded files carry no arrival.
      rows.reject(Malformed::missing_time, sample);
    }
  }

  /// Of nanoseconds that nobody has asked for by name.
  void show_doubt(std::optional<std::int64_t> ns) {
    constexpr std::int64_t kUnlikelyBeforeNs = 100'000'000'000'000'000;
    if (doubt_shown_ || !guessed_unit_ || !ns || *ns >= kUnlikelyBeforeNs || *ns <= -kUnlikelyBeforeNs) {
      return;
    }
    doubt_shown_ = true;
    std::string instant;
    append_rfc3339(instant, *ns);
    log::warn(
        "stream '{}'{}: timestamp {} was taken for nanoseconds since 1970, {}; for another precision say time = {{ "
        "unit = \"s\" }}, \"ms\" or \"us\"; if this is meant, \"ns\"",
        writer_.stream().name, name_, timestamp_, instant);
  }

  /// A live source does not end: there the warning comes after so many points.
  void note_other(std::string_view measurement) {
    constexpr std::uint64_t kMany = 1000;
    constexpr std::size_t kShown = 8;
    if (any_wanted_ || others_shown_) {
      return;
    }
    if (others_.size() < kShown && std::find(others_.begin(), others_.end(), measurement) == others_.end()) {
      others_.emplace_back(measurement);
    }
    if (++others_seen_ == kMany) {
      warn_of_others();
    }
  }

  /// Nothing is of the measurements that are asked for.
  void warn_of_others() {
    if (any_wanted_ || others_shown_ || others_.empty()) {
      return;
    }
    others_shown_ = true;
    const std::vector<std::string_view> others(others_.begin(), others_.end());
    std::string suggestion;
    for (const std::string& wanted : measurements_) {
      const std::string near = nearest_spelling(wanted, others);
      if (suggestion.empty() && !near.empty()) {
        suggestion = fmt::format(" (did you mean '{}'?)", near);
      }
    }
    log::warn("stream '{}'{}: no line is of measurement '{}', there is '{}'; nothing was read{}", writer_.stream().name,
              name_, fmt::join(measurements_, "' or '"), fmt::join(others, "', '"), suggestion);
  }

  ReadingWriter writer_;
  const std::vector<std::string>& measurements_;  // empty: all
  const std::string name_;                        // of the source, for messages
  const bool lines_;
  const bool own_time_;
  const bool guessed_unit_;
  const TimeReader time_;
  Wanted tags_;
  Wanted fields_;
  std::vector<std::size_t> measurement_slots_;
  PaddedText text_;
  std::string held_back_;  // a point whose string has not ended; whole lines

  // Of the point that is read.
  bool wanted_ = true;
  std::string_view timestamp_;
  std::vector<Token> values_;
  std::vector<bool> tagged_;          // a slot: its value is a tag's
  std::vector<std::string> scratch_;  // a slot: its value without escapes
  std::string measurement_;
  std::string unescaped_name_;

  bool doubt_shown_ = false;
  bool any_wanted_ = false;
  bool others_shown_ = false;
  std::uint64_t others_seen_ = 0;    // points of them, until one is wanted
  std::vector<std::string> others_;  // measurements that nobody asked for
};

}  // namespace

std::string_view unescaped(const LineText& text, std::string_view escapes, std::string& out) {
  if (!text.escaped) {
    return text.raw;
  }
  out.clear();
  for (std::size_t at = 0; at < text.raw.size(); ++at) {
    const bool escape =
        text.raw[at] == '\\' && at + 1 < text.raw.size() && escapes.find(text.raw[at + 1]) != std::string_view::npos;
    at += escape ? 1U : 0U;
    out += text.raw[at];
  }
  const std::size_t size = out.size();
  out.append(8, '\0');
  return {out.data(), size};
}

std::unique_ptr<Decoder> make_line_decoder(const spec::Stream& stream, const spec::Source& source) {
  return std::make_unique<LineDecoder>(stream, source);
}

}  // namespace weir::decode
