// Says in the log which silent source holds the watermark of its stream, and with it all windows, back. Engine's
// thread.
#pragma once

#include <cstdint>
#include <optional>

#include "batch/batch.hpp"
#include "execute/watermark.hpp"
#include "spec/stream_spec.hpp"

namespace weir::runtime {

class StandstillWatch {
 public:
  /// @brief After each batch. One line when a source has sent no reading for kPatience while another one is further;
  /// the next one once the watermark has moved.
  void look(const spec::Stream& stream, const execute::WatermarkTracker& tracker, const batch::FeedState& feed);

 private:
  static constexpr std::int64_t kPatience = 60'000'000'000;

  std::optional<std::int64_t> told_;  ///< the watermark of which it was said
};

}  // namespace weir::runtime
