// Names of columns that other programs take without quotes.
#pragma once

#include <string>
#include <string_view>

namespace weir::plan {

/// @brief An entry of `select` as one word of ASCII letters, digits and '_', not beginning with a digit: "max(power)"
/// is max_power, "count()" is count, "quantile(load, 0.99)" is quantile_load_0_99. Several may come to the same word.
std::string plain_name(std::string_view text);

}  // namespace weir::plan
