#include "sink/name_template.hpp"

#include <fmt/core.h>

#include "core/error.hpp"

namespace weir::sink {

NameTemplate::NameTemplate(std::string_view text, std::string_view what) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t brace = rest.find_first_of("{}");
    if (brace != 0) parts_.push_back({false, std::string(rest.substr(0, brace))});
    if (brace == std::string_view::npos) return;
    const std::size_t closing = rest.find('}', brace);
    if (rest[brace] == '}' || closing == std::string_view::npos) {
      throw ConfigError(fmt::format("{} '{}' has a brace without its partner", what, text), "write {query}");
    }
    parts_.push_back({true, std::string(rest.substr(brace + 1, closing - brace - 1))});
    rest.remove_prefix(closing + 1);
  }
}

}  // namespace weir::sink
