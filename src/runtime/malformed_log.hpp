// Says in the log why readings of a stream are refused: the first one of each reason with a sample and, where there is
// one, the way out; after that the counts, once a minute while they grow. Used by the stream's decoding thread; nothing
// of a run's result depends on it.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "batch/malformed.hpp"
#include "spec/stream_spec.hpp"

namespace weir::runtime {

class MalformedLog {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::minutes kEvery{1};

  explicit MalformedLog(const spec::Stream& stream) : stream_(stream) {}

  /// @brief A reading was refused. @param sample its text, any bytes @param member that is to blame; empty: none alone
  void refused(batch::Malformed reason, std::string_view sample, std::string_view member = {});
  /// @brief Call now and then: says what has grown since the last time, if that is a minute ago.
  void report(Clock::time_point now = Clock::now());

 private:
  const spec::Stream& stream_;
  batch::MalformedCounts counts_{};
  batch::MalformedCounts said_{};
  bool grown_ = false;
  Clock::time_point next_{};
};

/// @brief The beginning of a payload as the log may show it: printable, and without what looks like a credential.
std::string log_sample(std::string_view payload);

}  // namespace weir::runtime
