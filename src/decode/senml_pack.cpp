#include "decode/senml_pack.hpp"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "core/decimal.hpp"
#include "core/int128.hpp"
#include "decode/json_members.hpp"

namespace weir::decode {
namespace {

namespace ondemand = simdjson::ondemand;

// RFC 8428, 4.5.3: a time below 2^28 s is relative to now.
constexpr std::int64_t kRelativeBelowNs = (std::int64_t{1} << 28) * 1'000'000'000;

/// Decimal places that turn a time of this unit into nanoseconds.
int places_of(TimeUnit unit) noexcept {
  switch (unit) {
    case TimeUnit::milliseconds:
      return 6;
    case TimeUnit::microseconds:
      return 3;
    case TimeUnit::nanoseconds:
      return 0;
    default:
      return 9;
  }
}

/// TimeReader's rule for numbers without a unit.
TimeUnit unit_by_magnitude(const Token& time) noexcept {
  const ParsedDecimal whole = parse_decimal(time.text, 0);
  const std::int64_t magnitude = whole.units < 0 ? -whole.units : whole.units;
  if (magnitude < 100'000'000'000) {
    return TimeUnit::seconds;
  }
  if (magnitude < 100'000'000'000'000) {
    return TimeUnit::milliseconds;
  }
  return magnitude < 100'000'000'000'000'000 ? TimeUnit::microseconds : TimeUnit::nanoseconds;
}

bool numeric(const Token& token) noexcept {
  return token.kind == Token::Kind::number || token.kind == Token::Kind::text;
}

/// @param now_ns what a time below 2^28 s is relative to; such a time is `relative` where there is no now
std::optional<std::int64_t> resolve_time(const Token& base, const Token& own, TimeUnit unit,
                                         std::optional<std::int64_t> now_ns, bool& relative) noexcept {
  if (unit != TimeUnit::seconds && unit != TimeUnit::milliseconds && unit != TimeUnit::microseconds &&
      unit != TimeUnit::nanoseconds) {
    unit = unit_by_magnitude(base.missing() ? own : base);
  }
  std::int64_t sum = 0;
  for (const Token* const part : {&base, &own}) {
    if (part->missing()) {
      continue;
    }
    const ParsedDecimal ns = parse_decimal(part->text, places_of(unit));
    if (!numeric(*part) || ns.status > DecimalStatus::rounded || __builtin_add_overflow(sum, ns.units, &sum)) {
      return std::nullopt;
    }
  }
  relative = sum < kRelativeBelowNs;
  if (relative && (!now_ns || __builtin_add_overflow(sum, *now_ns, &sum))) {
    return std::nullopt;
  }
  return sum;
}

/// A decimal in units of 10^-18, exactly where its text has no more places.
std::optional<Int128> scaled(std::string_view text) noexcept {
  constexpr std::int64_t kScale = 1'000'000'000'000'000'000;
  const std::size_t point = text.find('.');
  if (point != std::string_view::npos && text.find_first_of("eE") == std::string_view::npos) {
    // Apart, the two sides of the point have room for 18 digits each.
    const std::string_view fraction_text = text.substr(point);
    const std::string_view whole_text = text.substr(0, point);
    const bool bare = whole_text.empty() || whole_text == "-" || whole_text == "+";
    const ParsedDecimal whole = bare ? ParsedDecimal{0, DecimalStatus::ok} : parse_decimal(whole_text, 0);
    const ParsedDecimal fraction =
        fraction_text == "." && !bare ? ParsedDecimal{0, DecimalStatus::ok} : parse_decimal(fraction_text, kMaxPlaces);
    if (whole.status != DecimalStatus::ok || fraction.status > DecimalStatus::rounded) {
      return std::nullopt;
    }
    const Int128 part = whole_text.starts_with('-') ? -Int128{fraction.units} : Int128{fraction.units};
    return Int128{whole.units} * kScale + part;
  }
  for (int places = kMaxPlaces; places >= 0; --places) {
    const ParsedDecimal decimal = parse_decimal(text, places);
    if (decimal.status == DecimalStatus::not_a_number) {
      return std::nullopt;
    }
    if (decimal.status != DecimalStatus::out_of_range) {
      return Int128{decimal.units} * pow10(kMaxPlaces - places);
    }
  }
  return std::nullopt;
}

}  // namespace

Token senml_sum(const Token& base, const Token& value, std::string& out) {
  if (base.missing() || value.missing()) {
    return value;
  }
  if (!numeric(base)) {
    return base;
  }
  if (!numeric(value)) {
    return value;
  }
  for (const Token* const part : {&base, &value}) {
    // At 0 places a number is either in range or not; the text then speaks for itself.
    if (parse_decimal(part->text, 0).status > DecimalStatus::rounded) {
      return *part;
    }
  }
  const std::optional<Int128> a = scaled(base.text);
  const std::optional<Int128> b = scaled(value.text);
  out.clear();
  if (a && b) {
    append_decimal(out, *a + *b, kMaxPlaces);
  }
  return {out, Token::Kind::number};
}

// Labels of a record. What is not named here is ignored, but a label that ends in '_' must be understood (4.4).
struct SenmlPack::Parser {
  Parser() { scalar.slots.push_back(0); }

  ondemand::parser parser;
  JsonMember scalar{""};
  std::vector<Token> value = std::vector<Token>(1);
  JsonStrings strings{PaddedText::kPadding};  // none is looked into

  static Token* member(Raw& raw, std::string_view label) noexcept {
    constexpr std::pair<std::string_view, Token Raw::*> kLabels[] = {
        {"n", &Raw::n},   {"v", &Raw::v},   {"u", &Raw::u},     {"t", &Raw::t},     {"bn", &Raw::bn},
        {"bt", &Raw::bt}, {"bu", &Raw::bu}, {"bv", &Raw::bv},   {"vs", &Raw::text}, {"sv", &Raw::text},
        {"s", &Raw::s},   {"bs", &Raw::bs}, {"vb", &Raw::text}, {"vd", &Raw::text}, {"bver", &Raw::bver}};
    for (const auto& [name, where] : kLabels) {
      if (name == label) {
        return &(raw.*where);
      }
    }
    return nullptr;
  }

  /// @param elements where the draft's records go; nullptr inside a record
  bool read_object(ondemand::object object, Raw& raw, std::vector<Raw>* elements) {
    for (auto item : object) {
      ondemand::field field;
      std::string_view label;
      if (std::move(item).get(field) != simdjson::SUCCESS || field.unescaped_key().get(label) != simdjson::SUCCESS) {
        return false;
      }
      Token* const token = member(raw, label);
      if (token != nullptr) {
        value[0] = {};
        if (!read_value(field.value(), scalar, value, strings)) {
          return false;
        }
        *token = value[0];
      } else if (elements != nullptr && label == "e") {
        ondemand::array array;
        if (field.value().get_array().get(array) != simdjson::SUCCESS || !read_array(array, *elements)) {
          return false;
        }
      } else if (label.ends_with('_')) {
        return false;
      }
    }
    return true;
  }

  bool read_array(ondemand::array array, std::vector<Raw>& raws) {
    for (auto item : array) {
      ondemand::object object;
      Raw raw;
      if (raws.size() == SenmlPack::kMostRecords || item.get_object().get(object) != simdjson::SUCCESS ||
          !read_object(object, raw, nullptr)) {
        return false;
      }
      raws.push_back(raw);
    }
    return true;
  }

  bool read(std::string_view text, std::vector<Raw>& raws) {
    ondemand::document document;
    ondemand::array array;
    ondemand::object object;
    if (parser.iterate(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING).get(document) !=
        simdjson::SUCCESS) {
      return false;
    }
    if (text.front() == '[') {
      if (document.get_array().get(array) != simdjson::SUCCESS || !read_array(array, raws)) {
        return false;
      }
    } else {
      // Base values may stand before or after "e": they come first in any case.
      raws.emplace_back();
      Raw base;
      if (document.get_object().get(object) != simdjson::SUCCESS || !read_object(object, base, &raws)) {
        return false;
      }
      raws.front() = base;
    }
    return document.current_location().error() != simdjson::SUCCESS;
  }
};

SenmlPack::SenmlPack(TimeUnit unit) : unit_(unit), parser_(std::make_unique<Parser>()) {}
SenmlPack::~SenmlPack() = default;

bool SenmlPack::read(std::string_view text, std::optional<std::int64_t> now_ns) {
  raw_.clear();
  records_.clear();
  is_newer_ = false;
  if (text.empty() || !parser_->read(text, raw_)) {
    return false;
  }
  if (!std::all_of(raw_.begin(), raw_.end(), is_understood)) {
    is_newer_ = true;
    return false;
  }
  resolve(now_ns);
  return true;
}

std::size_t SenmlPack::worst_case_bytes() noexcept {
  // While the lists double, the old ones are still there.
  return 3 * kMostRecords / 2 * (sizeof(Raw) + sizeof(SenmlRecord));
}

void SenmlPack::release_above(std::size_t bytes) {
  if (parser_->parser.capacity() > bytes) {
    parser_ = std::make_unique<Parser>();
    raw_ = {};
    records_ = {};
  }
}

/// "A system MUST NOT use an object whose version is above the one that it understands" (RFC 8428, 4.4).
bool SenmlPack::is_understood(const Raw& raw) noexcept {
  constexpr std::int64_t kVersion = 10;
  if (raw.bver.missing()) {
    return true;
  }
  const ParsedDecimal version = parse_decimal(raw.bver.text, 0);
  return numeric(raw.bver) && version.status == DecimalStatus::ok && version.units <= kVersion;
}

void SenmlPack::resolve(std::optional<std::int64_t> now_ns) {
  const bool follows_data = !now_ns.has_value();
  Raw base;
  for (const Raw& raw : raw_) {
    for (Token Raw::*const member : {&Raw::bn, &Raw::bt, &Raw::bu, &Raw::bv, &Raw::bs}) {
      if (!(raw.*member).missing()) {
        base.*member = raw.*member;
      }
    }
    const bool has_value = !raw.v.missing() || !raw.s.missing() || !raw.text.missing();
    if (!has_value && raw.n.missing() && raw.t.missing()) {
      continue;  // base values only
    }
    SenmlRecord record;
    record.base_name = base.bn.text;
    record.own_name = raw.n.text;
    record.unit = raw.u.missing() ? base.bu : raw.u;
    record.value = raw.v;
    record.base_value = base.bv;
    record.sum = raw.s;
    record.base_sum = base.bs;
    // A value or sum that is not there is zero where there is a base (4.1); a text has none.
    if (raw.text.missing() && raw.v.missing() && !base.bv.missing()) {
      record.value = base.bv;
      record.base_value = {};
    }
    if (raw.text.missing() && raw.s.missing() && !base.bs.missing()) {
      record.sum = base.bs;
      record.base_sum = {};
    }
    record.text = raw.text;
    bool relative = false;
    record.time_ns = resolve_time(base.bt, raw.t, unit_, follows_data ? newest_ns_ : now_ns, relative);
    record.lacks_now = relative && !record.time_ns;
    if (record.time_ns && !relative) {
      newest_ns_ = std::max(newest_ns_.value_or(*record.time_ns), *record.time_ns);
    }
    records_.push_back(record);
  }
}

}  // namespace weir::decode
