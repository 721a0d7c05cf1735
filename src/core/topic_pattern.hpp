// MQTT topic filters (MQTT 5, 4.7), with "{name}" for a level whose text is wanted: which topics they match, and
// whether two of them can match one.
//
// Immutable after construction; any thread may call it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

class TopicPattern {
 public:
  struct Level {
    std::string text;  ///< what the level has to be; of a capture its name; empty for "+"
    bool any = false;  ///< "+" or "{name}"
  };

  /// @param pattern a valid one; "$share/<group>/" at its beginning has no part in what it matches (4.8.2)
  explicit TopicPattern(std::string_view pattern);

  /// @brief Without the '#' at the end.
  [[nodiscard]] const std::vector<Level>& levels() const noexcept { return levels_; }
  [[nodiscard]] bool ends_in_hash() const noexcept { return hash_; }
  /// @brief A wildcard is its first level: it does not match topics that begin with '$' (4.7.2).
  [[nodiscard]] bool begins_wild() const noexcept { return levels_.empty() ? hash_ : levels_.front().any; }

  [[nodiscard]] bool matches(std::string_view topic) const noexcept {
    return matches(topic, [](std::size_t, std::string_view) {});
  }
  /// @param each called with the number and the text of each level that is compared, also where the topic does not
  /// match
  template <class Each>
  [[nodiscard]] bool matches(std::string_view topic, Each each) const;

  /// @brief Some topic is matched by both.
  [[nodiscard]] bool overlaps(const TopicPattern& other) const noexcept;

 private:
  std::vector<Level> levels_;
  bool hash_ = false;
};

/// @brief The group of "$share/<group>/filter"; empty for a filter that is not shared.
std::string_view share_group(std::string_view pattern) noexcept;
/// @brief The pattern behind "$share/<group>/"; the pattern itself where it is not shared.
std::string_view without_share(std::string_view pattern) noexcept;

/// @brief The level that begins at `at`; moves `at` behind its '/', to npos after the last.
inline std::string_view next_topic_level(std::string_view topic, std::size_t& at) noexcept {
  const std::size_t slash = topic.find('/', at);
  const std::string_view level = topic.substr(at, slash == std::string_view::npos ? slash : slash - at);
  at = slash == std::string_view::npos ? slash : slash + 1;
  return level;
}

template <class Each>
bool TopicPattern::matches(std::string_view topic, Each each) const {
  if (topic.empty() || (begins_wild() && topic.front() == '$')) {
    return false;
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    if (at == std::string_view::npos) {
      return false;
    }
    const std::string_view text = next_topic_level(topic, at);
    if (!levels_[i].any && text != levels_[i].text) {
      return false;
    }
    each(i, text);
  }
  return at == std::string_view::npos || hash_;  // "a/#" also matches "a" (4.7.1.2)
}

}  // namespace weir
