// From key ids to the groups of one query: `group_by` a subset of a stream's keys is a gather through a table.
//
// Group ids are dense and given in the order of the key ids, so that they are the same after a restart with the same
// dictionary. Also holds what a query knows about the texts of keys: the tables of its key tests, the hashes for
// distinct(), the bytewise order of the groups. Owned by the QueryRunner, used by the engine's thread; backends read
// the arrays of view() while a batch runs, and they grow only in extend().
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "batch/key_dictionary.hpp"
#include "core/large_array.hpp"
#include "execute/backend.hpp"
#include "plan/plan.hpp"

namespace weir::execute {

/// @brief The hash of a key's text that distinct() counts: XXH3-64 with a fixed seed, part of the format of
/// checkpoints.
std::uint64_t distinct_hash(std::string_view text) noexcept;

class GroupTable {
 public:
  /// Both outlive the table.
  GroupTable(const plan::QueryPlan& query, const batch::KeyDictionary& keys);

  /// @brief Takes in the key ids below `key_count`, which the dictionary must hold.
  void extend(std::uint32_t key_count);
  /// @brief The dictionary gave all ids anew: takes them in, and gives the groups their ids anew.
  void begin_anew();
  /// @brief The first key id of a group, where there is a group_by.
  [[nodiscard]] std::uint32_t first_key(std::uint32_t group) const noexcept { return key_of_[group]; }
  [[nodiscard]] const GroupView& view() const noexcept { return view_; }
  [[nodiscard]] std::uint32_t groups() const noexcept { return view_.groups; }
  /// @brief The texts of a group's keys, in group_by order. Valid until the next extend(); the texts as long as the
  /// dictionary.
  [[nodiscard]] const std::string_view* texts(std::uint32_t group) const noexcept {
    return texts_.data() + std::size_t{group} * group_keys_.size();
  }
  [[nodiscard]] std::string_view text(std::uint32_t group, std::size_t key) const noexcept { return texts(group)[key]; }
  /// @brief Whether test number `test` of QueryPlan::having_key_tests holds for a group.
  [[nodiscard]] bool having_test(std::size_t test, std::uint32_t group) const noexcept {
    return having_tests_[test][group] != 0;
  }
  /// @brief For each group its place in the bytewise order of the group keys; sorts what came since the last call.
  std::span<const std::uint32_t> ranks();
  /// @brief The groups in that order. Valid after ranks().
  [[nodiscard]] std::span<const std::uint32_t> ordered() const noexcept { return ordered_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept;

 private:
  [[nodiscard]] std::uint32_t group_for(std::uint32_t key);
  [[nodiscard]] std::uint32_t add_group(std::uint32_t key);
  [[nodiscard]] bool in_group(std::uint32_t group, std::uint32_t key) const noexcept;
  [[nodiscard]] bool before(std::uint32_t a, std::uint32_t b) const noexcept;
  [[nodiscard]] std::uint64_t hash(std::uint32_t key) noexcept;
  void grow_slots();
  void refresh_view();

  const plan::QueryPlan* query_;
  const batch::KeyDictionary* keys_;
  std::vector<std::size_t> group_keys_;
  bool one_to_one_;  ///< group_by names every key: each key id is a group of its own
  bool overflow_reported_ = false;
  GroupView view_;

  LargeVector<std::uint32_t> group_of_;  ///< [key id]
  LargeVector<std::uint32_t> key_of_;    ///< [group] → the first key id of it
  LargeVector<std::string_view> texts_;  ///< [group * group keys + key], beside each other for rows of results
  LargeVector<std::uint64_t> hashes_;    ///< [group]; empty when one_to_one_
  LargeVector<std::uint32_t> slots_;     ///< open addressing by hash: group + 1, 0 is free; a power of two of them
  std::string hashed_text_;

  std::vector<std::vector<std::uint8_t>> key_tests_;     ///< [test][key id]
  std::vector<std::vector<std::uint8_t>> having_tests_;  ///< [test][group]
  std::vector<std::vector<std::uint64_t>> key_hashes_;   ///< [schema key][key id], empty where not needed
  std::vector<const std::uint8_t*> key_test_pointers_;
  std::vector<const std::uint64_t*> key_hash_pointers_;
  std::vector<const std::uint8_t*> having_test_pointers_;

  LargeVector<std::uint32_t> ordered_;
  LargeVector<std::uint32_t> ranks_;
};

}  // namespace weir::execute
