// "did you mean …?": the nearest valid spelling to a mistyped word.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir {

/// @brief The candidate with the smallest edit distance (Damerau–Levenshtein, case-insensitive) to `word`, or empty if
/// none is near (distance <= max(1, length/3)). Ties go to the earlier candidate.
std::string nearest_spelling(std::string_view word, std::span<const std::string_view> candidates);

/// @brief "did you mean 'x'?" or, when nothing is near, "one of: a, b, c"; empty for no candidates.
std::string suggest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace weir
