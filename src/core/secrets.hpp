// Values that are not to be shown: whoever learns one says so here, whoever writes for people leaves it out. Kept for
// the process, since what is said anywhere may quote it. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace weir {

/// @brief Keeps `value` out of what is shown from now on. Values shorter than 4 bytes are not kept: they would blot out
/// half of every text.
void keep_secret(std::string_view value);

/// @brief `text` with *** in place of every value that is kept.
std::string without_secrets(std::string_view text);

}  // namespace weir
