// A strptime-style pattern, taken apart once. Independent of the process locale: month and weekday names are English.
//
// Immutable after construction; any thread may call it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/local_clock.hpp"

namespace weir {

class TimeFormat {
 public:
  /// @param pattern see TimeReader. Numbers take as many digits as they may have (%Y four, %m one or two, %f any
  /// number);
  ///        a blank is itself, %n and %t are one or more blanks.
  /// @throws ConfigError on an unknown letter, or when the pattern names no year and no %s.
  explicit TimeFormat(const std::string& pattern);

  /// @brief Nanoseconds since the epoch; nothing when `text` is not of this form, all of it, or is out of range.
  /// @param local where the time belongs if the pattern has no %z or %Z; nullptr is UTC. @param order as LocalClock has
  /// it
  [[nodiscard]] std::optional<std::int64_t> read(std::string_view text, const LocalClock* local,
                                                 LocalOrder* order = nullptr) const noexcept;

 private:
  struct Step {
    char letter;   ///< of the directive; '\0' for a literal
    char literal;  ///< the character to match
  };
  void append(const std::string& pattern, const std::string& whole);

  std::vector<Step> steps_;
};

}  // namespace weir
