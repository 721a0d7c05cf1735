// A message with its arrival, which a source leaves to the journal's clock.
#pragma once

#include "batch/message.hpp"
#include "core/arrival_clock.hpp"

namespace weir::journal {

inline batch::MessageView arrived(const batch::MessageView& message, ArrivalClock& clock) {
  batch::MessageView result = message;
  if (result.arrival_ns == 0) {
    result.arrival_ns = clock.now_ns();
  }
  return result;
}

}  // namespace weir::journal
