#include "execute/group_table.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/log.hpp"

namespace weir::execute {
namespace {

/// Any constant will do as long as it never changes: hashes are part of checkpoints.
constexpr std::uint64_t kDistinctSeed = 0x5765'6972'2064'6973;

template <class Vector>
std::uint64_t held(const Vector& vector) noexcept {
  return vector.capacity() * sizeof(typename Vector::value_type);
}

/// All at once where many come together, as from a checkpoint; by doubling where they come one by one.
template <class Vector>
void make_room(Vector& vector, std::size_t size) {
  if (size > 2 * vector.capacity()) vector.reserve(size);
}

}  // namespace

std::uint64_t distinct_hash(std::string_view text) noexcept {
  return XXH3_64bits_withSeed(text.data(), text.size(), kDistinctSeed);
}

GroupTable::GroupTable(const plan::QueryPlan& query, const batch::KeyDictionary& keys)
    : query_(&query),
      keys_(&keys),
      group_keys_(query.group_keys),
      key_tests_(query.key_tests.size()),
      having_tests_(query.having_key_tests.size()),
      key_hashes_(keys.arity()),
      key_test_pointers_(query.key_tests.size()),
      key_hash_pointers_(keys.arity()),
      having_test_pointers_(query.having_key_tests.size()) {
  group_of_.reserve(64);  // group_of == nullptr means something else than "no keys yet"
  std::vector<std::size_t> named = group_keys_;
  std::sort(named.begin(), named.end());
  named.erase(std::unique(named.begin(), named.end()), named.end());
  one_to_one_ = !named.empty() && named.size() == keys.arity();
  if (group_keys_.empty()) {
    // The one group exists before its first reading: a query without group_by may emit rows of empty windows.
    view_.groups = 1;
    for (auto& table : having_tests_) {
      table.push_back(0);
    }
  }
  refresh_view();
}

void GroupTable::extend(std::uint32_t key_count) {
  const std::uint32_t known = view_.keys;
  if (key_count <= known) return;

  for (std::size_t test = 0; test < key_tests_.size(); ++test) {
    const plan::KeyTest& key_test = query_->key_tests[test];
    key_tests_[test].reserve(key_count);
    for (std::uint32_t key = known; key < key_count; ++key) {
      key_tests_[test].push_back(key_test.matches(keys_->value(key, key_test.key)) ? 1 : 0);
    }
  }
  for (const plan::Aggregate& aggregate : query_->aggregates) {
    if (aggregate.kind != plan::AggregateKind::distinct) continue;
    const auto schema_key = static_cast<std::size_t>(aggregate.key);
    auto& hashes = key_hashes_[schema_key];
    for (auto key = static_cast<std::uint32_t>(hashes.size()); key < key_count; ++key) {
      hashes.push_back(distinct_hash(keys_->value(key, schema_key)));
    }
  }
  if (!group_keys_.empty()) {
    make_room(group_of_, key_count);
    if (one_to_one_) {
      make_room(key_of_, key_count);
      make_room(texts_, key_count * group_keys_.size());
    }
    for (std::uint32_t key = known; key < key_count; ++key) {
      group_of_.push_back(one_to_one_ ? add_group(key) : group_for(key));
    }
  }
  view_.keys = key_count;
  refresh_view();
}

void GroupTable::begin_anew() {
  view_.keys = 0;
  group_of_.clear();
  for (auto& table : key_tests_) table.clear();
  for (auto& table : key_hashes_) table.clear();
  if (!group_keys_.empty()) {
    key_of_.clear();
    texts_.clear();
    hashes_.clear();
    std::fill(slots_.begin(), slots_.end(), 0);
    for (auto& table : having_tests_) table.clear();
    ordered_.clear();
  }
  refresh_view();
  extend(keys_->size());
}

std::uint32_t GroupTable::group_for(std::uint32_t key) {
  if ((key_of_.size() + 1) * 2 > slots_.size()) grow_slots();
  const std::uint64_t key_hash = hash(key);
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = key_hash & mask;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const std::uint32_t group = slots_[slot] - 1;
    if (hashes_[group] == key_hash && in_group(group, key)) return group;
  }
  const std::uint32_t group = add_group(key);
  if (group != kNoGroup) {
    hashes_.push_back(key_hash);
    slots_[slot] = group + 1;
  }
  return group;
}

std::uint32_t GroupTable::add_group(std::uint32_t key) {
  const auto group = static_cast<std::uint32_t>(key_of_.size());
  if (query_->max_groups != 0 && group >= query_->max_groups) {
    if (!overflow_reported_) {
      overflow_reported_ = true;
      log::warn(
          "query '{}': more than max_groups = {} groups; readings of further groups count as filtered: raise "
          "max_groups",
          query_->spec.name, query_->max_groups);
    }
    return kNoGroup;
  }
  key_of_.push_back(key);
  for (const std::size_t part : group_keys_) {
    texts_.push_back(keys_->value(key, part));
  }
  for (std::size_t test = 0; test < having_tests_.size(); ++test) {
    const plan::KeyTest& key_test = query_->having_key_tests[test];
    having_tests_[test].push_back(key_test.matches(text(group, key_test.key)) ? 1 : 0);
  }
  return group;
}

bool GroupTable::in_group(std::uint32_t group, std::uint32_t key) const noexcept {
  for (std::size_t i = 0; i < group_keys_.size(); ++i) {
    if (text(group, i) != keys_->value(key, group_keys_[i])) return false;
  }
  return true;
}

std::uint64_t GroupTable::hash(std::uint32_t key) noexcept {
  // Each text goes with its length, or ("a", "bc") and ("ab", "c") would collide by construction.
  hashed_text_.clear();
  for (const std::size_t part : group_keys_) {
    const std::string_view text = keys_->value(key, part);
    const std::size_t length = text.size();
    hashed_text_.append(reinterpret_cast<const char*>(&length), sizeof length);
    hashed_text_.append(text);
  }
  return XXH3_64bits(hashed_text_.data(), hashed_text_.size());
}

void GroupTable::grow_slots() {
  slots_.assign(std::max<std::size_t>(64, slots_.size() * 2), 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::uint32_t group = 0; group < hashes_.size(); ++group) {
    std::size_t slot = hashes_[group] & mask;
    while (slots_[slot] != 0) {
      slot = (slot + 1) & mask;
    }
    slots_[slot] = group + 1;
  }
}

void GroupTable::refresh_view() {
  if (!group_keys_.empty()) {
    view_.group_of = group_of_.data();
    view_.groups = static_cast<std::uint32_t>(key_of_.size());
  }
  for (std::size_t i = 0; i < key_tests_.size(); ++i) {
    key_test_pointers_[i] = key_tests_[i].data();
  }
  for (std::size_t i = 0; i < key_hashes_.size(); ++i) {
    key_hash_pointers_[i] = key_hashes_[i].empty() ? nullptr : key_hashes_[i].data();
  }
  for (std::size_t i = 0; i < having_tests_.size(); ++i) {
    having_test_pointers_[i] = having_tests_[i].data();
  }
  view_.key_tests = key_test_pointers_;
  view_.key_hashes = key_hash_pointers_;
  view_.having_tests = having_test_pointers_;
}

bool GroupTable::before(std::uint32_t a, std::uint32_t b) const noexcept {
  for (std::size_t key = 0; key < group_keys_.size(); ++key) {
    // char_traits<char> compares as unsigned bytes.
    const int order = text(a, key).compare(text(b, key));
    if (order != 0) return order < 0;
  }
  return a < b;
}

std::span<const std::uint32_t> GroupTable::ranks() {
  const std::size_t sorted = ordered_.size();
  if (sorted == view_.groups) return ranks_;
  ordered_.resize(view_.groups);
  std::iota(ordered_.begin() + static_cast<std::ptrdiff_t>(sorted), ordered_.end(), static_cast<std::uint32_t>(sorted));
  if (!group_keys_.empty()) {
    const auto less = [this](std::uint32_t a, std::uint32_t b) { return before(a, b); };
    const auto middle = ordered_.begin() + static_cast<std::ptrdiff_t>(sorted);
    std::sort(middle, ordered_.end(), less);
    std::inplace_merge(ordered_.begin(), middle, ordered_.end(), less);
  }
  ranks_.resize(view_.groups);
  for (std::uint32_t rank = 0; rank < view_.groups; ++rank) {
    ranks_[ordered_[rank]] = rank;
  }
  return ranks_;
}

std::uint64_t GroupTable::bytes() const noexcept {
  std::uint64_t total =
      held(group_of_) + held(key_of_) + held(texts_) + held(hashes_) + held(slots_) + held(ordered_) + held(ranks_);
  for (const auto& table : key_tests_) {
    total += held(table);
  }
  for (const auto& table : having_tests_) {
    total += held(table);
  }
  for (const auto& table : key_hashes_) {
    total += held(table);
  }
  return total;
}

}  // namespace weir::execute
