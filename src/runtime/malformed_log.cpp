#include "runtime/malformed_log.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cctype>

#include "core/duration.hpp"
#include "core/log.hpp"
#include "core/printable.hpp"
#include "source/text_form.hpp"

namespace weir::runtime {
namespace {

constexpr std::size_t kLongestSample = 160;

constexpr std::array<std::string_view, 6> kCredentials{"password", "passwd", "secret", "token", "api_key", "apikey"};

bool equal_letters(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

// Where the value begins that follows the name of a credential in `text`: behind ':' or '=', quotes and blanks.
std::size_t credential_value(std::string_view text) {
  std::size_t nearest = std::string_view::npos;
  for (const std::string_view name : kCredentials) {
    const auto* const found = std::search(text.begin(), text.end(), name.begin(), name.end(), equal_letters);
    if (found == text.end()) continue;
    std::size_t at = static_cast<std::size_t>(found - text.begin()) + name.size();
    at = text.find_first_of(":=", at);
    if (at == std::string_view::npos) continue;
    nearest = std::min(nearest, text.find_first_not_of(" \t\"'", at + 1));
  }
  return nearest;
}

std::string way_out(batch::Malformed reason, const spec::Stream& stream, std::string_view member) {
  using enum batch::Malformed;
  switch (reason) {
    case bad_payload:
      return member == "bver" ? "a SenML pack of a version above 10 must not be used (RFC 8428, 4.4)"
                              : "does 'format' say what the source sends?";
    case missing_time:
      return stream.time.field.empty()
                 ? "without a time of its own, or with one relative to now, a reading has its arrival's, and recorded "
                   "files have no arrivals; time = \"arrival\" takes the moment of the replay"
                 : fmt::format("'time' names '{}'", stream.time.field);
    case bad_time:
      return "do 'unit', 'format' and 'zone' of 'time' say how it is written?";
    case future:
      return fmt::format("later than its arrival by more than max_ahead = {}: is a clock wrong?",
                         to_string(stream.max_ahead));
    case missing_key:
      return "every one of 'keys' has to be there";
    case too_many_keys:
      return fmt::format(
          "there are max_keys = {} of them: raise it if there are more sensors{}", stream.max_keys,
          stream.key_ttl.count() > 0 ? ", or lower key_ttl" : ", or set key_ttl if silent ones may give their places");
    case missing_field:
      return member.empty() ? "no field has a value: are the names in 'fields' spelt as the source spells them?"
                            : "it is required";
    case not_a_number:
      return {};
    case out_of_range:
      return "a field has 64 bits: fewer 'places' leave room for larger values";
    case wrong_columns:
      return "do 'columns' and 'separator' fit?";
    case too_large:
      return "larger than max_message: raise it if such messages are meant";
    case unreadable:
      return "may this process read it?";
    case key_too_long:
      return fmt::format("its keys together are longer than max_key_bytes = {}: raise it if such keys are meant",
                         stream.max_key_bytes);
    case other_topic:
      return "it matches none of the source's topics: the broker may keep a subscription of an earlier configuration";
  }
  return {};
}

}  // namespace

std::string log_sample(std::string_view payload) {
  std::string shown;
  std::string_view rest = payload.substr(0, 4 * kLongestSample);
  for (;;) {
    const std::size_t value = credential_value(rest);
    const bool whole = append_printable(shown, rest.substr(0, value), kLongestSample - shown.size());
    if (!whole || shown.size() + 3 > kLongestSample) return shown + "…";
    if (value == std::string_view::npos) break;
    shown += "***";
    rest.remove_prefix(std::min(rest.size(), rest.find_first_of("\"',;&} \t\r\n", value)));
  }
  return payload.size() > 4 * kLongestSample ? shown + "…" : shown;
}

void MalformedLog::refused(batch::Malformed reason, std::string_view sample, std::string_view member) {
  const auto i = static_cast<std::size_t>(reason);
  ++counts_[i];
  if (counts_[i] > 1) {
    grown_ = true;
    return;
  }
  said_[i] = 1;
  std::string hint = way_out(reason, stream_, member);
  if (const std::string_view form = source::name_of_form(sample); !form.empty()) {
    hint = fmt::format("it is {}, which is recognised in files only", form);
  }
  const std::string where = member.empty() ? std::string() : fmt::format(" of '{}'", printable(member));
  log::warn("stream '{}': a reading is refused: {}{}{}{}{}: {}", stream_.name, batch::name(reason), where,
            hint.empty() ? "" : " (", hint, hint.empty() ? "" : ")", log_sample(sample));
  if (next_ == Clock::time_point{}) next_ = Clock::now() + kEvery;
}

void MalformedLog::report(Clock::time_point now) {
  if (!grown_ || now < next_) return;
  std::string text;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == said_[i]) continue;
    text += fmt::format("{}{} {} (+{})", text.empty() ? "" : ", ", batch::name(static_cast<batch::Malformed>(i)),
                        counts_[i], counts_[i] - said_[i]);
  }
  log::warn("stream '{}': readings refused since the start: {}", stream_.name, text);
  said_ = counts_;
  grown_ = false;
  next_ = now + kEvery;
}

}  // namespace weir::runtime
