// The ledger: every reading accounted for, over the whole life of a stream and of a query (semantics §8).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "batch/malformed.hpp"
#include "state/serial.hpp"

namespace weir::state {

struct StreamLedger {
  std::uint64_t received = 0, delivered = 0, duplicate = 0, shed = 0;
  batch::MalformedCounts malformed{};
  std::uint64_t rounded = 0;
  [[nodiscard]] std::uint64_t malformed_total() const noexcept;
  /// @brief received = delivered + duplicate + malformed + shed
  [[nodiscard]] bool balances() const noexcept;
  void save(Writer& out) const;
  void load(Reader& in);
};

struct QueryLedger {
  std::uint64_t delivered = 0, counted = 0, filtered = 0, late = 0;
  std::uint64_t windows = 0, rows = 0, revisions = 0;
  /// @brief delivered = counted + filtered + late
  [[nodiscard]] bool balances() const noexcept;
  void save(Writer& out) const;
  void load(Reader& in);
};

/// What became of the rows that a sink was given, of all its queries.
struct SinkLedger {
  std::uint64_t rows = 0;
  std::map<std::string, std::uint64_t, std::less<>> refused;  ///< by reason: rows that can never be delivered
  [[nodiscard]] std::uint64_t refused_total() const noexcept;
  void save(Writer& out) const;
  void load(Reader& in);
};

}  // namespace weir::state
