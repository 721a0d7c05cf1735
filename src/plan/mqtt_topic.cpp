#include "plan/mqtt_topic.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "plan/lexer.hpp"

namespace weir::plan {
namespace {

// MQTT encodes a topic's length in 16 bits.
constexpr std::size_t kMaxTopicBytes = 65535;

bool begins_with(std::string_view text, std::string_view prefix) noexcept {
  return text.substr(0, prefix.size()) == prefix;
}

/// Reads one level; returns what is wrong with it.
std::string read_level(std::string_view level, bool last, std::vector<std::string>& captures) {
  if (level == "#") {
    return last ? "" : "'#' must be the last level";
  }
  if (level == "+") {
    return {};
  }
  if (level.size() >= 2 && level.front() == '{' && level.back() == '}') {
    const std::string_view name = level.substr(1, level.size() - 2);
    if (!is_name(name)) {
      return fmt::format("'{}' captures no name", level);
    }
    if (std::find(captures.begin(), captures.end(), name) != captures.end()) {
      return fmt::format("'{}' is captured twice", level);
    }
    captures.emplace_back(name);
    return {};
  }
  if (level.find_first_of("+#") != std::string_view::npos) {
    return fmt::format("the wildcard in '{}' must be a whole level", level);
  }
  if (level.find_first_of("{}") != std::string_view::npos) {
    return fmt::format("a capture must be a whole level, unlike '{}'", level);
  }
  return {};
}

}  // namespace

TopicFilter parse_topic_filter(std::string_view filter) {
  TopicFilter result;
  if (filter.empty()) {
    result.mistake = "the topic is empty";
    return result;
  }
  if (filter.size() > kMaxTopicBytes || filter.find('\0') != std::string_view::npos) {
    result.mistake = "the topic is longer than 65535 bytes or holds a null character";
    return result;
  }
  constexpr std::string_view kShare = "$share/";
  std::string_view rest = filter;
  if (begins_with(rest, kShare)) {
    const std::size_t slash = rest.find('/', kShare.size());
    const std::string_view group = rest.substr(kShare.size(), slash - kShare.size());
    if (slash == std::string_view::npos || slash + 1 == rest.size() || group.empty() ||
        group.find_first_of("+#{}") != std::string_view::npos) {
      result.mistake = "a shared subscription must be $share/group/filter";
      return result;
    }
    rest = rest.substr(slash + 1);
  }
  while (true) {
    const std::size_t slash = rest.find('/');
    const bool last = slash == std::string_view::npos;
    result.mistake = read_level(rest.substr(0, slash), last, result.captures);
    if (!result.mistake.empty()) {
      result.suggestion = "as in \"plant/{line}/+/state\" or \"plant/#\"";
      return result;
    }
    if (last) {
      return result;
    }
    rest = rest.substr(slash + 1);
  }
}

}  // namespace weir::plan
