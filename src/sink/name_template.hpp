// A path or topic with places to fill in: "out/{query}.jsonl", "plant/{line}/{machine}/load". Immutable once parsed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::sink {

class NameTemplate {
 public:
  struct Part {
    bool placeholder = false;
    std::string text;  ///< the literal, or the placeholder's name
  };

  /// @param what names the setting in messages: "path", "topic"
  /// @throws ConfigError on a brace without its partner.
  NameTemplate(std::string_view text, std::string_view what);

  [[nodiscard]] const std::vector<Part>& parts() const noexcept { return parts_; }

 private:
  std::vector<Part> parts_;
};

}  // namespace weir::sink
