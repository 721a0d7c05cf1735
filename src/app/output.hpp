// Lines on standard output. What they quote (names of files, topics, payloads) is made printable, so that it can
// neither steer a terminal nor pass itself off as a line; secrets are left out.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace weir::app {

/// @brief One line, whatever `line` holds. @throws Error when it cannot be written
void put_output_line(std::string_view line);

/// @brief Lines that end with '\n'.
void put_output(std::string_view text);

template <typename... Arguments>
void print_line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  put_output_line(fmt::format(format, std::forward<Arguments>(arguments)...));
}

/// @brief Waits until everything is written. @throws Error when a part of it is lost
void flush_output();

}  // namespace weir::app
