#include "plan/plain_name.hpp"

namespace weir::plan {

std::string plain_name(std::string_view text) {
  std::string name;
  bool gap = false;  // of what no word has, behind a word
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!digit && !letter) {
      gap = !name.empty();
      continue;
    }
    if (gap || (digit && name.empty())) {
      name.push_back('_');
    }
    gap = false;
    name.push_back(c);
  }
  return name.empty() ? "_" : name;
}

}  // namespace weir::plan
