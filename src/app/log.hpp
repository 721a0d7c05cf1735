// What the program says on standard error: the log, the line that an error ends it with, the closing ledger. Lines of
// text or, with --json-log, JSON objects. Whatever a line quotes (names of files, topics, payloads, errors of
// libraries) is made printable and without secrets here, so that no caller can forget it.
#pragma once

#include <exception>
#include <string_view>

#include "app/command.hpp"
#include "core/log.hpp"

namespace weir::app {

/// @brief Sets the log up, always on standard error, so that rows on standard output can be piped.
/// @throws ConfigError on an unknown level.
void set_up_log(const Context& context);

/// @brief The lines of `text` go to standard error, whatever the log's level: as text, or as JSON messages.
void put_lines(const Context& context, log::Level level, std::string_view text);

/// @brief Says why the program ends, a line for each mistake. @return the exit code
int report_failure(const Context& context, const std::exception& error);

}  // namespace weir::app
