// Short spellings of events for tests that write a stream out.
#pragma once

#include <string>
#include <utility>

#include "contract/queries.hpp"
#include "oracle/oracle.hpp"

namespace weir::contract {

/// @brief A reading at `time_ns`: load in units of 0.001, plug, source.
inline oracle::Event reading_at(std::int64_t time_ns, std::int64_t load = 1000, std::string plug = "p0",
                                std::size_t source = 0) {
  oracle::Event event;
  event.reading.time = time_ns;
  event.reading.keys = {"h0", "a0", std::move(plug)};
  event.reading.fields = {load, std::nullopt};
  event.reading.source = source;
  return event;
}

inline oracle::Event source_idle(std::size_t source) {
  oracle::Event event;
  event.kind = oracle::Event::Kind::source_idle;
  event.source = source;
  return event;
}

inline oracle::Event watermark_at(std::int64_t instant_ns) {
  oracle::Event event;
  event.kind = oracle::Event::Kind::watermark;
  event.instant = instant_ns;
  return event;
}

inline oracle::Event interval_end(std::int64_t instant_ns) {
  oracle::Event event;
  event.kind = oracle::Event::Kind::interval_end;
  event.instant = instant_ns;
  return event;
}

/// @brief select count(), sum(load) as s, with or without group_by = ["plug"].
inline QueryCase count_and_sum(bool by_plug) {
  QueryCase query;
  query.name = query.spec.name = "count_and_sum";
  query.spec.select = {"count()", "sum(load) as s"};
  if (by_plug) query.spec.group_by = {"plug"};
  query.expected.aggregates = {
      {oracle::Function::count, {}, 0, 0.0, 0},
      {oracle::Function::sum, [](const oracle::Reading& reading) { return reading.fields[0]; }, 3, 0.0, 0}};
  if (by_plug) query.expected.group_keys = {2};
  return query;
}

}  // namespace weir::contract
