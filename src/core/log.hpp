// The log of all rooms: lines for whoever set a writer, which in the program is its log on standard error and in a
// library its host. Nothing is formatted that nobody wants. Thread-safe.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace weir::log {

enum class Level : std::uint8_t { trace, debug, info, warning, error, critical };

/// Gets one line without its end. What it quotes may be of foreign origin: see shown().
using Writer = std::function<void(Level level, std::string_view line)>;

/// @brief `writer` gets every line from now on that is at least as grave as `least`, one call at a time; an empty one
/// drops them. Without a call, warnings and errors go to standard error.
void set_writer(Writer writer, Level least);

[[nodiscard]] bool wanted(Level level) noexcept;
void write(Level level, std::string_view line) noexcept;

/// @brief A line as people may see it: printable, and without secrets.
std::string shown(std::string_view line);

template <typename... Arguments>
void put(Level level, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  if (wanted(level)) write(level, fmt::format(format, std::forward<Arguments>(arguments)...));
}
template <typename... Arguments>
void debug(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  put(Level::debug, format, std::forward<Arguments>(arguments)...);
}
template <typename... Arguments>
void info(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  put(Level::info, format, std::forward<Arguments>(arguments)...);
}
template <typename... Arguments>
void warn(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  put(Level::warning, format, std::forward<Arguments>(arguments)...);
}
template <typename... Arguments>
void error(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  put(Level::error, format, std::forward<Arguments>(arguments)...);
}
template <typename... Arguments>
void critical(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  put(Level::critical, format, std::forward<Arguments>(arguments)...);
}

}  // namespace weir::log
