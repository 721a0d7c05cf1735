// Pushes a Simulator's readings in blocks of lines: paced by the clock in small bursts, or as fast as they are taken.
//
// After a restart it goes on with the reading after the last one, as if no time had passed: `offset` is the number of
// readings handed on, `detail` the event time at which the simulation began.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "source/simulator.hpp"
#include "source/thread_source.hpp"

namespace weir::source {

class SimulatorSource final : public ThreadSource {
 public:
  SimulatorSource(const spec::Source& spec, std::uint32_t index, batch::MessageConsumer& consumer,
                  const batch::SourcePosition& resume)
      : ThreadSource(index, consumer), spec_(spec), resume_(resume) {}
  ~SimulatorSource() override { stop(); }

 protected:
  void open() override;
  bool run() override;

 private:
  bool offer(const std::string& lines);

  const spec::Source spec_;
  const batch::SourcePosition resume_;
  std::optional<Simulator> simulator_;
  std::string start_text_;
  std::uint64_t handed_on_ = 0;
  bool begun_ = false;
};

}  // namespace weir::source
