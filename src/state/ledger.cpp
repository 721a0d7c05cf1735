#include "state/ledger.hpp"

#include <numeric>
#include <utility>

namespace weir::state {

std::uint64_t StreamLedger::malformed_total() const noexcept {
  return std::accumulate(malformed.begin(), malformed.end(), std::uint64_t{0});
}

bool StreamLedger::balances() const noexcept {
  return received == delivered + duplicate + malformed_total() + shed;
}

void StreamLedger::save(Writer& out) const {
  out.u64(received);
  out.u64(delivered);
  out.u64(duplicate);
  out.u64(shed);
  out.u64(rounded);
  // Reasons are only ever added at the end, so a reader knows how many its writer knew.
  out.u64(malformed.size());
  for (const std::uint64_t count : malformed) out.u64(count);
}

void StreamLedger::load(Reader& in) {
  received = in.u64();
  delivered = in.u64();
  duplicate = in.u64();
  shed = in.u64();
  rounded = in.u64();
  malformed = {};
  const std::uint64_t reasons = in.count(sizeof(std::uint64_t));
  for (std::uint64_t i = 0; i < reasons; ++i) {
    // A reason that this version does not know counts as the broadest one, so that the ledger still balances.
    malformed[i < malformed.size() ? i : static_cast<std::size_t>(batch::Malformed::bad_payload)] += in.u64();
  }
}

bool QueryLedger::balances() const noexcept {
  return delivered == counted + filtered + late;
}

void QueryLedger::save(Writer& out) const {
  for (const std::uint64_t value : {delivered, counted, filtered, late, windows, rows, revisions}) out.u64(value);
}

void QueryLedger::load(Reader& in) {
  for (std::uint64_t* value : {&delivered, &counted, &filtered, &late, &windows, &rows, &revisions}) *value = in.u64();
}

std::uint64_t SinkLedger::refused_total() const noexcept {
  return std::accumulate(refused.begin(), refused.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& entry) { return sum + entry.second; });
}

void SinkLedger::save(Writer& out) const {
  out.u64(rows);
  out.u64(refused.size());
  for (const auto& [reason, count] : refused) {
    out.text(reason);
    out.u64(count);
  }
}

void SinkLedger::load(Reader& in) {
  rows = in.u64();
  refused.clear();
  for (std::uint64_t left = in.count(2 * sizeof(std::uint64_t)); left > 0; --left) {
    std::string reason(in.text());
    refused[std::move(reason)] = in.u64();
  }
}

}  // namespace weir::state
