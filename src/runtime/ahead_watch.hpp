// Names the sensors whose event times are ahead of their arrival, in the log: their clocks are wrong. Used by the
// stream's decoding thread, for readings that are ahead only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "batch/key_dictionary.hpp"
#include "spec/stream_spec.hpp"

namespace weir::runtime {

class AheadWatch {
 public:
  /// Both outlive the watch.
  AheadWatch(const spec::Stream& stream, const batch::KeyDictionary& keys);
  /// @brief A reading of sensor `key` that is ahead. One line a sensor, until it was right for kForgotten; at most
  /// kMostSensors a while.
  void take(std::uint32_t key, std::int64_t time_ns, std::int64_t arrival_ns);

 private:
  void tell(std::uint32_t key, std::int64_t time_ns, std::int64_t ahead_ns) const;

  /// What a clock may be ahead beside out_of_order, for which the operator has told what to expect.
  static constexpr std::int64_t kTolerated = 1'000'000'000;
  static constexpr std::int64_t kForgotten = 600'000'000'000;
  static constexpr std::size_t kMostSensors = 20;

  const spec::Stream& stream_;
  const batch::KeyDictionary& keys_;
  std::uint64_t generation_ = 0;  ///< of the ids in told_
  std::int64_t tolerated_ns_;
  std::unordered_map<std::uint32_t, std::int64_t> told_;  ///< [key] the arrival of its last reading that was ahead
  bool told_of_more_ = false;
};

}  // namespace weir::runtime
