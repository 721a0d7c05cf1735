#include "core/time_zone.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/civil.hpp"
#include "core/error.hpp"
#include "core/posix_zone.hpp"
#include "core/spelling.hpp"

namespace weir {
namespace {

/// Instants lie in these years: the rule in a zone's footer is written out for them.
constexpr std::int64_t kFirstYear = 1677;
constexpr std::int64_t kLastYear = 2262;

/// What a file may hold: RFC 8536 has its writers keep times above -2^59, and no offset reaches 25 hours.
constexpr std::int64_t kLargestTime = std::int64_t{1} << 59U;
constexpr std::int64_t kLargestOffset = 25 * 3600;

std::string zone_directory() {
  const char* const set = std::getenv("TZDIR");  // NOLINT(concurrency-mt-unsafe): set-up only
  return set != nullptr && *set != '\0' ? set : "/usr/share/zoneinfo";
}

/// "+02:00" to seconds east of UTC.
bool read_offset(std::string_view text, std::int64_t& offset) {
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') {
    return false;
  }
  int digits[4] = {};
  std::size_t n = 0;
  for (const std::size_t i : {1U, 2U, 4U, 5U}) {
    if (text[i] < '0' || text[i] > '9') {
      return false;
    }
    digits[n++] = text[i] - '0';
  }
  const int hours = digits[0] * 10 + digits[1];
  const int minutes = digits[2] * 10 + digits[3];
  if (hours > 23 || minutes > 59) {
    return false;
  }
  offset = (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
  return true;
}

/// A name that stays inside the zoneinfo directory.
bool is_zone_name(std::string_view name) {
  const bool letters = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '+' || c == '/';
  });
  return letters && !name.empty() && name.front() != '/' && name.back() != '/';
}

[[noreturn]] void throw_unknown(const std::string& name) {
  std::ifstream table(zone_directory() + "/zone.tab");
  std::vector<std::string> names;
  for (std::string line; std::getline(table, line);) {
    std::istringstream columns(line);
    std::string country;
    std::string coordinates;
    std::string zone;
    if (!line.empty() && line.front() != '#' && columns >> country >> coordinates >> zone) {
      names.push_back(zone);
    }
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const std::string nearest = nearest_spelling(name, candidates);
  throw ConfigError("unknown time zone '" + name + "'",
                    nearest.empty() ? "give UTC, an offset such as +02:00, or an IANA name that is installed in " +
                                          zone_directory() + " (package tzdata)"
                                    : "did you mean '" + nearest + "'?");
}

}  // namespace

/// A TZif file in memory (RFC 8536 section 3), and how its transitions become a TimeZone.
class ZoneFile {
 public:
  ZoneFile(const std::string& path, const std::string& bytes) : path_(path), bytes_(bytes) {}

  void fill(TimeZone& zone) {
    Header header = read_header();
    std::size_t time_bytes = 4;
    if (header.version >= '2') {
      // The first block repeats the data in 32 bits for old readers.
      skip(block_size(header, 4));
      header = read_header();
      time_bytes = 8;
    }
    read_block(header, time_bytes);
    if (time_bytes == 8) {
      read_footer();
    }
    build(zone);
  }

 private:
  struct Header {
    char version = 0;
    std::size_t utc_flags = 0, standard_flags = 0, leaps = 0, times = 0, types = 0, letters = 0;
  };
  struct Transition {
    std::int64_t utc;
    std::int64_t offset;
  };

  [[noreturn]] void damaged(const char* what) const {
    throw ConfigError("time zone file " + path_ + ": " + what, "reinstall the package tzdata");
  }

  std::string_view take(std::size_t size) {
    if (bytes_.size() - at_ < size) {
      damaged("ends too early");
    }
    at_ += size;
    return std::string_view(bytes_).substr(at_ - size, size);
  }
  void skip(std::size_t size) { take(size); }

  std::int64_t take_signed(std::size_t size) {
    std::uint64_t value = 0;
    for (const char c : take(size)) {
      value = value << 8U | static_cast<unsigned char>(c);
    }
    return size == 4 ? static_cast<std::int32_t>(static_cast<std::uint32_t>(value)) : static_cast<std::int64_t>(value);
  }
  std::size_t take_count() { return static_cast<std::uint32_t>(take_signed(4)); }

  Header read_header() {
    if (take(4) != "TZif") {
      damaged("is no TZif file");
    }
    Header header;
    header.version = take(1).front();
    skip(15);
    header.utc_flags = take_count();
    header.standard_flags = take_count();
    header.leaps = take_count();
    header.times = take_count();
    header.types = take_count();
    header.letters = take_count();
    return header;
  }

  static std::size_t block_size(const Header& h, std::size_t time_bytes) {
    return h.times * (time_bytes + 1) + h.types * 6 + h.letters + h.leaps * (time_bytes + 4) + h.standard_flags +
           h.utc_flags;
  }

  void read_block(const Header& header, std::size_t time_bytes) {
    if (header.leaps != 0) {
      damaged("counts leap seconds, which Unix time does not");
    }
    if (header.types == 0 || bytes_.size() - at_ < block_size(header, time_bytes)) {
      damaged("ends too early");
    }
    for (std::size_t i = 0; i < header.times; ++i) {
      transitions_.push_back({take_signed(time_bytes), 0});
      if (transitions_.back().utc < -kLargestTime || transitions_.back().utc > kLargestTime) {
        damaged("has a transition beyond all time");
      }
    }
    const std::string_view types = take(header.times);
    std::vector<std::int64_t> offsets;
    for (std::size_t i = 0; i < header.types; ++i) {
      offsets.push_back(take_signed(4));
      if (offsets.back() < -kLargestOffset || offsets.back() > kLargestOffset) {
        damaged("has an offset of more than a day");
      }
      skip(2);
    }
    for (std::size_t i = 0; i < header.times; ++i) {
      const auto type = static_cast<unsigned char>(types[i]);
      if (type >= offsets.size()) {
        damaged("names a type that it does not define");
      }
      transitions_[i].offset = offsets[type];
    }
    first_offset_ = offsets.front();
    skip(header.letters + header.standard_flags + header.utc_flags);
  }

  void read_footer() {
    if (take(1) != "\n") {
      damaged("has no footer");
    }
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string::npos) {
      damaged("has no footer");
    }
    const std::string_view text = take(end - at_);
    if (text.empty()) {
      return;
    }
    const std::optional<PosixZone> rule = parse_posix_zone(text);
    if (!rule) {
      damaged("has a footer that is no POSIX TZ string");
    }
    if (!rule->daylight) {
      return;  // the offset of the last transition
    }
    const std::int64_t last = transitions_.empty() ? 0 : transitions_.back().utc;
    const std::size_t given = transitions_.size();
    const std::int64_t first_year = std::max(kFirstYear, civil_from_days(last / kSecondsPerDay).year - 1);
    for (std::int64_t year = first_year; year <= kLastYear; ++year) {
      transitions_.push_back({rule->daylight_begins(year), rule->daylight_offset});
      transitions_.push_back({rule->daylight_ends(year), rule->standard_offset});
    }
    const auto from = transitions_.begin() + static_cast<std::ptrdiff_t>(given);
    if (given > 0) {
      transitions_.erase(
          std::remove_if(from, transitions_.end(), [last](const Transition& t) { return t.utc <= last; }),
          transitions_.end());
    }
    std::stable_sort(transitions_.begin() + static_cast<std::ptrdiff_t>(given), transitions_.end(),
                     [](const Transition& a, const Transition& b) { return a.utc < b.utc; });
  }

  void build(TimeZone& zone) const {
    zone.first_offset_ = first_offset_;
    std::int64_t before = first_offset_;
    for (const Transition& transition : transitions_) {
      if (transition.offset == before) {
        continue;
      }
      // Set back: the hour that occurs twice belongs to the offset before. Set forward: so does the missing hour.
      const std::int64_t local_from = transition.utc + std::max(before, transition.offset);
      zone.changes_.push_back({local_from, transition.offset});
      before = transition.offset;
    }
    if (!std::is_sorted(zone.changes_.begin(), zone.changes_.end(),
                        [](const auto& a, const auto& b) { return a.local_from < b.local_from; })) {
      damaged("has transitions out of order");
    }
  }

  const std::string& path_;
  const std::string& bytes_;
  std::size_t at_ = 0;
  std::int64_t first_offset_ = 0;
  std::vector<Transition> transitions_;
};

TimeZone::TimeZone(const std::string& name) {
  if (name == "UTC" || name == "Z" || read_offset(name, first_offset_)) {
    return;
  }
  if (!is_zone_name(name)) {
    throw_unknown(name);
  }
  const std::string path = zone_directory() + '/' + name;
  if (std::error_code error; !std::filesystem::is_regular_file(path, error)) {
    throw_unknown(name);
  }
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  *this = from_tzif(path, bytes);
}

TimeZone TimeZone::from_tzif(const std::string& path, const std::string& bytes) {
  TimeZone zone;
  ZoneFile(path, bytes).fill(zone);
  return zone;
}

TimeZone::Resolved TimeZone::resolve(std::int64_t local_seconds) const noexcept {
  const auto next =
      std::upper_bound(changes_.begin(), changes_.end(), local_seconds,
                       [](std::int64_t local, const Change& change) { return local < change.local_from; });
  const std::int64_t offset = next == changes_.begin() ? first_offset_ : std::prev(next)->offset;
  Resolved resolved{local_seconds - offset, local_seconds - offset, false};
  // A change counts from the end of the time that occurs twice, or never: that lies right in front of it.
  if (next != changes_.end()) {
    const std::int64_t change = next->offset - offset;
    if (local_seconds >= next->local_from - (change < 0 ? -change : change)) {
      resolved.skipped = change > 0;
      resolved.later = change < 0 ? local_seconds - next->offset : resolved.utc;
    }
  }
  return resolved;
}

}  // namespace weir
