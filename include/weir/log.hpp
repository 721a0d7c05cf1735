// Where Weir's log goes in this process.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace weir {

enum class LogLevel : std::uint8_t { trace, debug, info, warning, error, critical };

/// One line without its end, printable whatever it quotes.
using Log = std::function<void(LogLevel level, std::string_view line)>;

/// @brief `log` gets every line from now on that is at least as grave as `least`, from any thread, one call at a time;
/// it must not call Weir. An empty function: nobody does. Without a call, warnings and errors go to standard error.
void set_log(Log log, LogLevel least = LogLevel::info);

}  // namespace weir
