#include "decode/topic_captures.hpp"

#include <algorithm>

namespace weir::decode {
namespace {

/// The level that begins at `at`; moves `at` behind its '/', to npos after the last.
std::string_view next_level(std::string_view topic, std::size_t& at) noexcept {
  const std::size_t slash = topic.find('/', at);
  const std::string_view level = topic.substr(at, slash == std::string_view::npos ? slash : slash - at);
  at = slash == std::string_view::npos ? slash : slash + 1;
  return level;
}

std::string_view without_share(std::string_view filter) noexcept {
  constexpr std::string_view kShare = "$share/";
  if (!filter.starts_with(kShare)) {
    return filter;
  }
  const std::size_t group_end = filter.find('/', kShare.size());
  return group_end == std::string_view::npos ? std::string_view{} : filter.substr(group_end + 1);
}

}  // namespace

TopicCaptures::TopicCaptures(const std::vector<std::string>& filters, const std::vector<spec::Key>& keys)
    : keys_(keys.size()) {
  for (const std::string& text : filters) {
    Filter filter;
    const std::string_view topic = without_share(text);
    for (std::size_t at = 0; at != std::string_view::npos;) {
      const std::string_view name = next_level(topic, at);
      if (name == "#") {
        filter.tail = true;
        break;
      }
      Level level;
      level.any = name == "+" || (name.size() >= 2 && name.front() == '{' && name.back() == '}');
      if (!level.any) {
        level.literal = name;
      } else if (name != "+") {
        const auto key = std::find_if(keys.begin(), keys.end(), [&](const spec::Key& candidate) {
          return candidate.path.empty() && candidate.name == name.substr(1, name.size() - 2);
        });
        level.key = key == keys.end() ? kNoKey : static_cast<int>(key - keys.begin());
      }
      filter.levels.push_back(std::move(level));
    }
    filters_.push_back(std::move(filter));
  }
}

void TopicCaptures::match(std::string_view topic, std::vector<Token>& values) const {
  for (const Filter& filter : filters_) {
    std::fill(values.begin(), values.end(), Token{});
    if (matches(filter, topic, values)) {
      return;
    }
  }
  std::fill(values.begin(), values.end(), Token{});
}

bool TopicCaptures::captures(std::size_t key) const noexcept {
  for (const Filter& filter : filters_) {
    for (const Level& level : filter.levels) {
      if (level.key == static_cast<int>(key)) {
        return true;
      }
    }
  }
  return false;
}

bool TopicCaptures::matches(const Filter& filter, std::string_view topic, std::vector<Token>& values) {
  if (topic.empty()) {
    return false;
  }
  // MQTT 4.7.2: a wildcard in the first level does not match topics of the server itself.
  const bool wild_start = filter.levels.empty() ? filter.tail : filter.levels.front().any;
  if (wild_start && topic.front() == '$') {
    return false;
  }
  std::size_t at = 0;
  for (const Level& level : filter.levels) {
    if (at == std::string_view::npos) {
      return false;
    }
    const std::string_view text = next_level(topic, at);
    if (!level.any && text != level.literal) {
      return false;
    }
    if (level.key != kNoKey) {
      values[static_cast<std::size_t>(level.key)] = {text, Token::Kind::text};
    }
  }
  // "a/#" also matches "a" (MQTT 4.7.1.2).
  return at == std::string_view::npos || filter.tail;
}

}  // namespace weir::decode
