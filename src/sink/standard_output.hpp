// Rows onto standard output, beside a progress bar that may stand on the same terminal.
#pragma once

#include <cstdio>
#include <string>

namespace weir::sink {

/// @brief Writes `text`, empties it, and waits until the operating system has it. @throws Error
void write_text(std::string& text, std::FILE* stream);

}  // namespace weir::sink
