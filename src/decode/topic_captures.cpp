#include "decode/topic_captures.hpp"

#include <algorithm>

namespace weir::decode {

TopicCaptures::TopicCaptures(const std::vector<std::string>& filters, const std::vector<spec::Key>& keys) {
  for (const std::string& text : filters) {
    Filter filter{TopicPattern(text), {}};
    for (const TopicPattern::Level& level : filter.pattern.levels()) {
      const auto key = std::find_if(keys.begin(), keys.end(), [&](const spec::Key& candidate) {
        return level.any && candidate.path.empty() && candidate.name == level.text;
      });
      filter.keys.push_back(key == keys.end() ? kNoKey : static_cast<int>(key - keys.begin()));
    }
    filters_.push_back(std::move(filter));
  }
}

void TopicCaptures::match(std::string_view topic, std::vector<Token>& values) const {
  for (const Filter& filter : filters_) {
    std::fill(values.begin(), values.end(), Token{});
    const bool matches = filter.pattern.matches(topic, [&](std::size_t level, std::string_view text) {
      if (filter.keys[level] != kNoKey) {
        values[static_cast<std::size_t>(filter.keys[level])] = {text, Token::Kind::text};
      }
    });
    if (matches) {
      return;
    }
  }
  std::fill(values.begin(), values.end(), Token{});
}

bool TopicCaptures::captures(std::size_t key) const noexcept {
  return std::any_of(filters_.begin(), filters_.end(), [key](const Filter& filter) {
    return std::find(filter.keys.begin(), filter.keys.end(), static_cast<int>(key)) != filter.keys.end();
  });
}

}  // namespace weir::decode
