// Keys that an MQTT topic carries: "plant/{line}/{machine}/state" takes line and machine from the levels of the topic.
//
// Immutable after construction; any thread may call it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/topic_pattern.hpp"
#include "decode/token.hpp"
#include "spec/schema.hpp"

namespace weir::decode {

class TopicCaptures {
 public:
  /// @param filters MQTT topic filters with + and #, where "{name}" stands for + and captures the level as the key
  ///        `name`; the prefix "$share/<group>/" is not part of the filter
  TopicCaptures(const std::vector<std::string>& filters, const std::vector<spec::Key>& keys);

  /// @brief Sets values[i] to the captured text of key i, or to absent where the first filter that matches the topic
  /// does not capture it. The texts point into `topic`. A key with a path of its own is never captured.
  /// @param values as many as there are keys
  void match(std::string_view topic, std::vector<Token>& values) const;

  /// @brief Some filter captures key `key`.
  [[nodiscard]] bool captures(std::size_t key) const noexcept;

 private:
  static constexpr int kNoKey = -1;
  struct Filter {
    TopicPattern pattern;
    std::vector<int> keys;  ///< [level] of the pattern
  };

  std::vector<Filter> filters_;
};

}  // namespace weir::decode
