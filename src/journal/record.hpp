// What the journal holds: messages, and what else decides what happens to them.
#pragma once

#include <cstdint>
#include <string_view>

#include "batch/message.hpp"

namespace weir::journal {

struct Record {
  enum class Kind : std::uint8_t {
    message,   ///< `message` is set
    finished,  ///< the source in `message.source` has ended
    failed,    ///< likewise, with the reason in `error`
    tick,      ///< nothing arrived for a while: the clock stands at `message.arrival_ns`
    started    ///< the process (re)started at `message.arrival_ns`: sources are given time before they count as idle
  };
  Kind kind = Kind::message;
  /// Ordinal of the record in the journal, from 0, without gaps in a durable one. The checkpoint holds the number after
  /// the last record that it covers.
  std::uint64_t number = 0;
  batch::MessageView message;  ///< for all kinds but `message` only `source` and `arrival_ns` may be set
  std::string_view error;      ///< kind failed
  std::uint64_t shed = 0;      ///< messages shed that no record before told of
};

}  // namespace weir::journal
