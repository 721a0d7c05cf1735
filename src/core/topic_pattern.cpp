#include "core/topic_pattern.hpp"

#include <algorithm>

namespace weir {
namespace {

constexpr std::string_view kShare = "$share/";

std::size_t end_of_share(std::string_view pattern) noexcept {
  return pattern.starts_with(kShare) ? pattern.find('/', kShare.size()) : std::string_view::npos;
}

}  // namespace

std::string_view share_group(std::string_view pattern) noexcept {
  const std::size_t end = end_of_share(pattern);
  return end == std::string_view::npos ? std::string_view{} : pattern.substr(kShare.size(), end - kShare.size());
}

std::string_view without_share(std::string_view pattern) noexcept {
  const std::size_t end = end_of_share(pattern);
  return end == std::string_view::npos ? pattern : pattern.substr(end + 1);
}

TopicPattern::TopicPattern(std::string_view pattern) {
  const std::string_view filter = without_share(pattern);
  for (std::size_t at = 0; at != std::string_view::npos;) {
    const std::string_view level = next_topic_level(filter, at);
    if (level == "#") {
      hash_ = true;
      return;
    }
    if (level == "+") {
      levels_.push_back({{}, true});
    } else if (level.size() >= 2 && level.front() == '{' && level.back() == '}') {
      levels_.push_back({std::string(level.substr(1, level.size() - 2)), true});
    } else {
      levels_.push_back({std::string(level), false});
    }
  }
}

bool TopicPattern::overlaps(const TopicPattern& other) const noexcept {
  const auto reserved = [](const TopicPattern& pattern) {
    return !pattern.begins_wild() && pattern.levels_.front().text.starts_with('$');
  };
  if ((begins_wild() && reserved(other)) || (other.begins_wild() && reserved(*this))) {
    return false;
  }
  const std::size_t both = std::min(levels_.size(), other.levels_.size());
  for (std::size_t i = 0; i < both; ++i) {
    const Level& a = levels_[i];
    const Level& b = other.levels_[i];
    if (!a.any && !b.any && a.text != b.text) {
      return false;
    }
  }
  // "+" and "/#" have only the empty topic in common, which does not exist.
  if (both == 1 && levels_.size() == other.levels_.size() && !(hash_ && other.hash_)) {
    const auto empty = [](const Level& level) { return !level.any && level.text.empty(); };
    if (empty(levels_.front()) || empty(other.levels_.front())) {
      return false;
    }
  }
  // What one has more levels than the other, a '#' of the other takes in: "a/#" and "a/b/c", and "a/#" and "a".
  return (levels_.size() == both || other.hash_) && (other.levels_.size() == both || hash_);
}

}  // namespace weir
