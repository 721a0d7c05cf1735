// What an expression means, evaluated straight from its text for one row, without a tree, a type check or registers.
// Written from the grammar and the rules of null in docs/semantics.md; includes nothing of the product.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace weir::oracle {

struct NamedValues {
  std::map<std::string, std::optional<double>> numbers;  ///< nothing: null
  std::map<std::string, std::string> keys;
};

/// A number, a truth value (0 or 1) or null.
using Answer = std::optional<double>;

/// @brief Evaluates a well-formed expression; throws std::invalid_argument on any other.
Answer evaluate_text(std::string_view expression, const NamedValues& row);

}  // namespace weir::oracle
