#include "execute/cuda/key_tables.hpp"

#include <algorithm>

namespace weir::execute::cuda {
namespace {

/// [schema key] up to the last one that a distinct() asks for: whether one does.
std::vector<bool> hashed_keys(const plan::QueryPlan& query) {
  std::vector<bool> hashed;
  for (const plan::Aggregate& aggregate : query.aggregates) {
    if (aggregate.kind != plan::AggregateKind::distinct) continue;
    const auto key = static_cast<std::size_t>(aggregate.key);
    if (key >= hashed.size()) hashed.resize(key + 1);
    hashed[key] = true;
  }
  return hashed;
}

}  // namespace

KeyTables::KeyTables(kernels::Device& device, const plan::QueryPlan& query, std::uint32_t keys, std::uint32_t groups)
    : device_(device), group_of_(device), pointers_(device) {
  if (!query.group_keys.empty()) group_of_.reserve(keys);
  for (std::size_t i = 0; i < query.key_tests.size(); ++i) tests_.emplace_back(device).reserve(keys);
  for (const bool hashed : hashed_keys(query)) {
    hashes_.emplace_back(device);
    if (hashed) hashes_.back().reserve(keys);
  }
  for (std::size_t i = 0; i < query.having_key_tests.size(); ++i) having_tests_.emplace_back(device).reserve(groups);
  pointers_.reserve(tests_.size() + hashes_.size() + having_tests_.size());
}

std::uint64_t KeyTables::planned_bytes(const plan::QueryPlan& query, std::uint32_t keys, std::uint32_t groups) {
  const std::vector<bool> hashed = hashed_keys(query);
  const auto hashes = static_cast<std::uint64_t>(std::count(hashed.begin(), hashed.end(), true));
  return keys * ((query.group_keys.empty() ? 0 : sizeof(std::uint32_t)) + query.key_tests.size() +
                 hashes * sizeof(std::uint64_t)) +
         groups * query.having_key_tests.size() +
         (query.key_tests.size() + hashed.size() + query.having_key_tests.size()) * sizeof(void*);
}

void KeyTables::extend(const GroupView& view, const kernels::Stream& stream) {
  const std::size_t from = copied_;
  const std::size_t to = view.keys;
  const auto copy_range = [&](auto& table, const auto* host, std::size_t known, std::size_t size) {
    table.grow(size, known, stream);
    if (size > known) {
      device_.copy_to_device(table.data() + known, host + known, (size - known) * sizeof *host, stream);
    }
  };
  const auto copy = [&](auto& table, const auto* host) { copy_range(table, host, from, to); };
  if (view.group_of != nullptr) copy(group_of_, view.group_of);
  next_pointers_.clear();
  for (std::size_t i = 0; i < tests_.size(); ++i) {
    copy(tests_[i], view.key_tests[i]);
    next_pointers_.push_back(tests_[i].data());
  }
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    if (view.key_hashes[i] != nullptr) copy(hashes_[i], view.key_hashes[i]);
    next_pointers_.push_back(hashes_[i].data());
  }
  for (std::size_t i = 0; i < having_tests_.size(); ++i) {
    copy_range(having_tests_[i], view.having_tests[i], copied_groups_, view.groups);
    next_pointers_.push_back(having_tests_[i].data());
  }
  if (next_pointers_ != host_pointers_) {
    device_.synchronize(stream);  // nothing may still read the ones before
    host_pointers_ = next_pointers_;
    pointers_.reserve(host_pointers_.size());
    device_.copy_to_device(pointers_.data(), host_pointers_.data(), host_pointers_.size() * sizeof(void*), stream);
  }
  copied_ = view.keys;
  copied_groups_ = view.groups;
  view_.group_of = view.group_of == nullptr ? nullptr : group_of_.data();
  view_.tests = reinterpret_cast<const std::uint8_t* const*>(pointers_.data());
  view_.hashes = reinterpret_cast<const std::uint64_t* const*>(pointers_.data() + tests_.size());
}

std::size_t KeyTables::bytes() const noexcept {
  std::size_t bytes = group_of_.bytes() + pointers_.bytes();
  for (const auto& table : tests_) bytes += table.bytes();
  for (const auto& table : hashes_) bytes += table.bytes();
  for (const auto& table : having_tests_) bytes += table.bytes();
  return bytes;
}

}  // namespace weir::execute::cuda
