// A TOML file as a tree of plain values that know their lines, in the order in which they were written.
//
// It keeps the TOML library out of the rest of the room, and the user's order: the library sorts tables by key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plan/diagnostics.hpp"
#include "plan/environment.hpp"

namespace weir::plan {

struct DocumentMember;

struct Document {
  enum class Kind : std::uint8_t { table, array, string, integer, real, boolean, date };

  Kind kind = Kind::table;
  int line = 0;
  bool unreadable = false;   ///< a string in it names a variable that is not set: a mistake that was reported
  bool substituted = false;  ///< a string that holds the value of an environment variable
  std::string text;          ///< string
  std::int64_t integer = 0;
  double real = 0.0;
  bool boolean = false;
  std::vector<Document> elements;       ///< array
  std::vector<DocumentMember> members;  ///< table, as written
};

struct DocumentMember {
  std::string key;
  Document value;
};

/// @brief "a string", "a table", …
std::string_view kind_name(Document::Kind kind) noexcept;

/// @brief Parses TOML and substitutes environment variables in its strings; a missing variable goes to `diagnostics`.
/// @throws ConfigError on a syntax error, with `name` as its file.
Document parse_document(std::string_view toml, const std::string& name, const Environment& environment,
                        Diagnostics& diagnostics);

}  // namespace weir::plan
