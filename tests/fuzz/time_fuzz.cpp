// Any bytes as a time of every form, as a pattern, and as a zone file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/time_text.hpp"
#include "core/time_zone.hpp"

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

/// What is read prints as RFC 3339 and reads back.
void check(const weir::TimeReader& reader, std::string_view text) {
  static const weir::TimeReader rfc3339(weir::TimeUnit::rfc3339);
  if (const std::optional<std::int64_t> ns = reader.read(text)) {
    std::string printed;
    weir::append_rfc3339(printed, *ns);
    require(rfc3339.read(printed) == ns);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string copy(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto unit = static_cast<weir::TimeUnit>(data[0] % 8);
  if (data[0] % 8 == 7) {
    try {
      static_cast<void>(weir::TimeZone::from_tzif("fuzz", copy).to_utc(1'377'986'400));
    } catch (const weir::ConfigError&) {
    }
  } else if (unit == weir::TimeUnit::format) {
    const std::size_t end = copy.find('\n');
    try {
      const auto overlap = static_cast<weir::Overlap>(copy.size() % 3);
      const auto gap = static_cast<weir::Gap>(copy.size() % 2);
      const weir::TimeReader reader(
          weir::TimeForm{unit, {copy.substr(0, end), "%Y-%m-%d %H:%M"}, "Europe/Berlin", overlap, gap});
      check(reader, end == std::string::npos ? std::string_view() : std::string_view(copy).substr(end + 1));
    } catch (const weir::ConfigError&) {
    }
  } else {
    check(weir::TimeReader(unit), copy);
  }
  return 0;
}
