#include "decode/reading_writer.hpp"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

#include "core/error.hpp"
#include "core/log.hpp"

namespace weir::decode {
namespace {

bool captures_a_key(const TopicCaptures& captures, std::size_t keys) {
  for (std::size_t i = 0; i < keys; ++i) {
    if (captures.captures(i)) {
      return true;
    }
  }
  return false;
}

/// Key values with their lengths in front, which determine the tuple; empty when they are too long to be cached.
class JoinedKeys {
 public:
  explicit JoinedKeys(std::span<const std::string_view> tuple) noexcept {
    for (const std::string_view value : tuple) {
      if (size_ + 1 + value.size() > KeyCache::kMaxBytes) {
        size_ = 0;
        return;
      }
      bytes_[size_++] = static_cast<char>(value.size());
      if (!value.empty()) {
        std::memcpy(bytes_ + size_, value.data(), value.size());
      }
      size_ += value.size();
    }
  }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_, size_}; }

 private:
  char bytes_[KeyCache::kMaxBytes + 8] = {};
  std::size_t size_ = 0;
};

}  // namespace

ReadingWriter::ReadingWriter(const spec::Stream& stream, const spec::Source& source, bool given_key_bytes)
    : stream_(stream),
      arrival_(stream.time.arrival),
      given_key_bytes_(given_key_bytes),
      keys_(stream.schema.keys.size()),
      max_key_bytes_(stream.max_key_bytes),
      forms_(stream, source.format),
      time_(stream.time.form()),
      captures_(source.topics, stream.schema.keys),
      captures_any_(captures_a_key(captures_, keys_)),
      captured_keys_(keys_),
      tuple_(keys_) {
  for (const spec::Field& field : stream.schema.fields) {
    fields_.push_back({field.places, field.required});
  }
}

void ReadingWriter::begin_message(const batch::MessageView& message, batch::RowWriter& rows) {
  forget_old_ids(rows);
  uncached_ = given_key_bytes_ && !captures_any_ && keys_ != 0 && rows.keys().size() > KeyCache::kMostKeys;
  if (captures_any_) {
    constant_key_.reset();
    captures_.match(message.topic, captured_keys_);
    captured_ = 0;
    for (const Token& token : captured_keys_) {
      captured_ += token.missing() ? 0U : 1U;
    }
  }
}

/// With 7 readable bytes behind it, as each text of a time. A part that is missing makes all of it missing.
Token ReadingWriter::join_time(std::span<const Token> values) {
  joined_time_.clear();
  const auto append = [this](const Token& part) {
    if (part.missing() || part.kind >= Token::Kind::no_number) return false;
    joined_time_.append(joined_time_.empty() ? "" : " ").append(part.text);
    return true;
  };
  bool whole = append(values[kTimeSlot]);
  for (std::size_t part = 0; whole && part < stream_.time.more_fields.size(); ++part) {
    whole = append(values[time_slot(part)]);
  }
  const std::size_t size = joined_time_.size();
  joined_time_.append(8, '\0');
  return whole ? Token{std::string_view(joined_time_).substr(0, size), Token::Kind::text} : Token{};
}

std::string ReadingWriter::saved_order() const {
  return time_.needs_order() ? fmt::format("{} {}\n", local_order_.last, local_order_.second ? 1 : 0) : std::string();
}

void ReadingWriter::load_order(std::string_view& state) {
  if (!time_.needs_order() || state.empty()) return;
  const char* const end = state.data() + state.size();
  int second = 0;
  const auto [blank, error] = std::from_chars(state.data(), end, local_order_.last);
  const bool found = error == std::errc() && blank != end && *blank == ' ';
  const auto [line_break, more] = std::from_chars(found ? blank + 1 : end, end, second);
  if (!found || more != std::errc() || line_break == end || *line_break != '\n') {
    throw Error("the saved order of local times is damaged");
  }
  local_order_.second = second != 0;
  state.remove_prefix(static_cast<std::size_t>(line_break + 1 - state.data()));
}

void ReadingWriter::blame_field(std::size_t i) {
  const spec::Field& field = stream_.schema.fields[i];
  blamed_ = field.path.empty() ? field.name : field.path;
}

/// Of another dictionary, or from before keys were released.
void ReadingWriter::forget_old_ids(batch::RowWriter& rows) {
  if (&rows.keys() != dictionary_ || rows.keys().generation() != generation_) {
    dictionary_ = &rows.keys();
    generation_ = dictionary_->generation();
    cache_.clear();
    constant_key_.reset();
  }
}

std::optional<batch::Malformed> ReadingWriter::read_time(const Token& time, batch::RowWriter& rows) {
  const auto refused = [this](batch::Malformed reason) {
    blamed_ = stream_.time.field;
    return reason;
  };
  if (time.missing()) {
    return refused(batch::Malformed::missing_time);
  }
  if (time.kind == Token::Kind::boolean || time.kind >= Token::Kind::no_number) {
    return refused(batch::Malformed::bad_time);
  }
  std::optional<std::int64_t> ns = time_.read(time.text, &local_order_);
  if (const std::string_view bare = trimmed(time.text); !ns && bare.size() != time.text.size()) {
    ns = time_.read(bare, &local_order_);
  }
  if (stream_.time.unit == TimeUnit::automatic && !doubt_shown_) {
    show_doubt(time.text, ns);
  }
  if (!ns) {
    return refused(batch::Malformed::bad_time);
  }
  last_time_.set(time.text, *ns);
  rows.time(*ns);
  return std::nullopt;
}

/// A number whose unit was guessed wrongly gives a wrong time without a word.
void ReadingWriter::show_doubt(std::string_view text, std::optional<std::int64_t> ns) {
  // The digits of dates, days and seconds of a run that began at 0: nothing that an epoch time of our days looks like.
  constexpr std::int64_t kUnlikelyBeforeNs = 100'000'000'000'000'000;
  const std::string_view pattern = calendar_pattern(text);
  if (pattern.empty() && (!ns || *ns >= kUnlikelyBeforeNs || *ns <= -kUnlikelyBeforeNs || text.find('-', 1) < 10)) {
    return;
  }
  doubt_shown_ = true;
  std::string instant;
  append_rfc3339(instant, ns.value_or(TimeReader(TimeUnit::seconds).read(text).value_or(0)));
  if (!pattern.empty()) {
    log::warn(
        "stream '{}': time \"{}\" has the digits of a date and is refused (as seconds since 1970 it would be {}): say "
        "format = \"{}\", or unit = \"s\" if seconds are meant",
        stream_.name, text, instant, pattern);
  } else {
    log::warn("stream '{}': time \"{}\" was taken for seconds since 1970, {}; if that is meant, say unit = \"s\"",
              stream_.name, text, instant);
  }
}

/// The texts of the keys to tuple_.
std::optional<batch::Malformed> ReadingWriter::collect_keys(std::span<const Token> keys) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < keys_; ++i) {
    const Token& key = captured_keys_[i].missing() ? keys[i] : captured_keys_[i];
    if (key.missing() || key.kind >= Token::Kind::no_number) {
      const spec::Key& name = stream_.schema.keys[i];
      blamed_ = name.path.empty() ? name.name : name.path;
      return batch::Malformed::missing_key;
    }
    tuple_[i] = key.text;
    bytes += key.text.size();
  }
  if (bytes > max_key_bytes_) {
    return batch::Malformed::key_too_long;
  }
  return std::nullopt;
}

/// The id of tuple_, known or new; nothing when there is no room even after long silent keys were released.
std::optional<std::uint32_t> ReadingWriter::id_of_keys(std::uint64_t hash, batch::RowWriter& rows) {
  std::optional<std::uint32_t> id = rows.keys().intern(tuple_, hash);
  if (!id && rows.release_keys()) [[unlikely]] {
    forget_old_ids(rows);
    id = rows.keys().intern(tuple_, hash);
  }
  return id;
}

/// The id of tuple_ into the row.
std::optional<batch::Malformed> ReadingWriter::intern_keys(const KeyBytes& given, batch::RowWriter& rows) {
  if (captured_ == keys_) {
    const std::optional<std::uint32_t> id = id_of_keys(batch::KeyDictionary::hash(tuple_), rows);
    if (!id) {
      return batch::Malformed::too_many_keys;
    }
    constant_key_ = id;
    rows.key(*id);
    return std::nullopt;
  }
  if (given.looked_up) {
    const std::optional<std::uint32_t> id = id_of_keys(given.hash, rows);
    if (!id) {
      return batch::Malformed::too_many_keys;
    }
    rows.key(*id);
    return std::nullopt;
  }
  // A cached text means the same tuple for every message only if the topic has no part in it.
  const JoinedKeys joined(given_key_bytes_ ? std::span<const std::string_view>{} : tuple_);
  KeyBytes cached = captured_ == 0 ? given : KeyBytes{};
  if (!given_key_bytes_) {
    cached = prepare(joined.view());
    if (const auto known = cache_.find(cached.text, cached.hash)) {
      rows.key(*known);
      return std::nullopt;
    }
  }
  const std::optional<std::uint32_t> id = id_of_keys(batch::KeyDictionary::hash(tuple_), rows);
  if (!id) {
    return batch::Malformed::too_many_keys;
  }
  cache_.insert(cached.text, cached.hash, *id, rows.keys().size());
  rows.key(*id);
  return std::nullopt;
}

}  // namespace weir::decode
