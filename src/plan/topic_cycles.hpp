// MQTT sinks whose rows come back to the stream that they are made of.
#pragma once

#include "plan/diagnostics.hpp"
#include "plan/plan.hpp"

namespace weir::plan {

/// @brief Each sink through which a stream feeds itself, directly or by way of other streams: one message would go
/// round and round. A stream that reads the rows of another one is fine.
void check_topic_cycles(const Plan& plan, Diagnostics& diagnostics);

}  // namespace weir::plan
