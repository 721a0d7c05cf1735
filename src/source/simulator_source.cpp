#include "source/simulator_source.hpp"

#include <charconv>
#include <chrono>

#include "core/time_text.hpp"
#include "source/line_buffer.hpp"
#include "source/simulated_text.hpp"

namespace weir::source {
namespace {

using Clock = std::chrono::steady_clock;

// Bursts no nearer than this: a wait for every reading would cost more than the reading.
constexpr std::chrono::milliseconds kBurst{5};
constexpr std::size_t kLongestReading = 512;

}  // namespace

void SimulatorSource::open() {
  std::int64_t start = wall_clock_ns();
  std::from_chars(resume_.detail.data(), resume_.detail.data() + resume_.detail.size(), start);
  simulator_.emplace(spec_.simulator, start);
  start_text_ = std::to_string(simulator_->start_ns());
}

bool SimulatorSource::run() {
  SimulatedReading reading;
  for (bool more = true; handed_on_ < resume_.offset; ++handed_on_) {
    more = simulator_->next(reading);
    if (!more || ((handed_on_ & 0xFFFFU) == 0 && stopping().is_set())) {
      return !more;
    }
  }
  std::string block;
  block.reserve(kBlockBytes);
  if (spec_.format.kind == spec::FormatKind::csv && (spec_.format.columns.empty() || spec_.format.header)) {
    block.append(csv_header()).append("\n");
  }
  bool more = simulator_->next(reading);
  const std::int64_t first_due = reading.due_ns;
  const Clock::time_point begin = Clock::now();
  while (more) {
    const Clock::time_point now = Clock::now();
    const std::int64_t due_until = first_due + std::chrono::nanoseconds(now - begin).count();
    while (more && block.size() + kLongestReading < kBlockBytes &&
           (!spec_.simulator.realtime || reading.due_ns <= due_until)) {
      append_reading(block, reading, spec_.format.kind);
      block += '\n';
      ++handed_on_;
      more = simulator_->next(reading);
    }
    if (!offer(block)) {
      return false;
    }
    block.clear();
    const std::chrono::nanoseconds ahead(
        spec_.simulator.realtime && more && reading.due_ns > due_until ? reading.due_ns - due_until : 0);
    const auto wait = ahead.count() > 0 ? std::max<std::chrono::nanoseconds>(ahead, kBurst) : ahead;
    if (stopping().wait_for(wait)) {
      return false;
    }
  }
  return true;
}

bool SimulatorSource::offer(const std::string& lines) {
  if (lines.empty()) {
    return true;
  }
  batch::MessageView message;
  message.payload = lines;
  message.source = index();
  message.starts_file = !begun_;
  begun_ = true;
  message.position_offset = handed_on_;
  message.position_detail = start_text_;
  return consumer().offer(message) != batch::Accepted::stopped;
}

}  // namespace weir::source
