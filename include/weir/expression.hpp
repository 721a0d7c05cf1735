// Expressions over a reading, in the language of the configuration: "temperature > -40"_expr.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

namespace weir {

/// Text of an expression; checked against the schema when the context starts.
struct Expression {
  std::string text;
};

inline namespace literals {

inline Expression operator""_expr(const char* text, std::size_t size) {
  return {std::string(text, size)};
}

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): 60s in user programs

}  // namespace literals

}  // namespace weir
