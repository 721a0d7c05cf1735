// The line at the foot of a terminal that says how far a run has come. It stands on standard error; whatever else is
// written to the terminal puts it aside for that long, so that the two never mix.
//
// One for the process, as there is one terminal. Any thread may call anything here.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>

namespace weir::status_line {

/// @brief From now on there is a line, of no text yet. For a standard error that is a terminal.
void begin();
/// @brief Draws the line anew. @param text printable, shorter than the terminal is wide
void show(std::string_view text);
/// @brief Takes the line away.
void end();

enum class On : std::uint8_t { output, error };

/// Put before anything is written to standard output or standard error: the line is away until the end of the scope,
/// and is then drawn below. Nobody waits for another where there is no line, or where standard output is no terminal.
class Aside {
 public:
  explicit Aside(On stream);
  ~Aside();
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

 private:
  std::unique_lock<std::mutex> lock_;  // held while the line is away
};

}  // namespace weir::status_line
