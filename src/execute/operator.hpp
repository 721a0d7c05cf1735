// What runs a query: batches of what it reads in, result rows out. The engine knows no more of a query than this.
//
// One kind is one file beside this one, and one line in make_operator(). Belongs to the engine's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "batch/batch.hpp"
#include "batch/key_dictionary.hpp"
#include "batch/result_table.hpp"
#include "execute/watermark.hpp"
#include "plan/plan.hpp"
#include "state/ledger.hpp"
#include "state/section_writer.hpp"

namespace weir::execute {

class Backend;

/// In place of a key id: the key was released.
inline constexpr std::uint32_t kNoKey = 0xFFFF'FFFF;

class Operator {
 public:
  Operator() = default;
  virtual ~Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  /// @brief One batch of what the query reads. Result rows are appended to `out`, and where the query has readers the
  /// marks of their watermark; `windows_closed` is increased by the windows (and intervals of a per-batch query) that
  /// ended, also empty ones. The rows that are late here are appended to `late_rows`, ascending, as many as the
  /// pipeline's dead letters take.
  virtual void run(const batch::Batch& batch, const WatermarkTrace& trace, batch::ResultTable& out,
                   std::uint64_t& windows_closed, std::vector<std::uint32_t>& late_rows) = 0;

  /// @brief While run() goes on, `spill` is given the table whenever it holds `rows` rows or more; it takes them and
  /// clears the table. Keeps memory bounded where one batch makes many rows. Without it all rows of a batch are
  /// collected.
  virtual void set_spill(std::size_t rows, std::function<void(batch::ResultTable&)> spill) = 0;

  /// @brief Readings with an event time before this are late from now on (dedupe keeps nothing older); the largest
  /// instant where nothing is ever late.
  [[nodiscard]] virtual std::int64_t late_before() const noexcept = 0;

  // Keys are released, between batches: first pin_keys() of every query that reads them, then KeyDictionary::keep(),
  // then renumber() of every query.
  /// @brief Keeps every key that the state cannot do without. @param kept a flag for each key id
  virtual void pin_keys(std::span<std::uint8_t> kept) const = 0;
  /// @brief The dictionary gave all ids anew. @param ids [old key id] → new one, kNoKey for one that was released
  virtual void renumber(std::span<const std::uint32_t> ids) = 0;

  [[nodiscard]] virtual const state::QueryLedger& ledger() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;

  /// @brief What changed since the checkpoint that `section` knows.
  virtual void save(state::SectionWriter& section) const = 0;
  /// @brief Goes on from what save() wrote, on any backend; the dictionary must already hold the keys that it held
  /// then, under the same ids. @throws Error on damage.
  virtual void load(state::Reader& in) = 0;
};

/// @brief The operator of a query. All arguments outlive it. @param keys what its input's key ids mean
std::unique_ptr<Operator> make_operator(const plan::Plan& plan, const plan::QueryPlan& query, Backend& backend,
                                        const batch::KeyDictionary& keys);

}  // namespace weir::execute
