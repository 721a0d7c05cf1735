#include "runtime/key_ages.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/instant.hpp"

namespace weir::runtime {

void KeyAges::note(const batch::Batch& batch) {
  if (batch.key_count > newest_.size()) {
    newest_.resize(batch.key_count, kEarliest);
  }
  const std::int64_t* const times = batch.times();
  const std::uint32_t* const keys = batch.keys();
  for (std::uint32_t row = 0; row < batch.size(); ++row) {
    newest_[keys[row]] = std::max(newest_[keys[row]], times[row]);
  }
}

std::vector<std::uint8_t> KeyAges::heard_lately(std::int64_t late_before) const {
  std::vector<std::uint8_t> heard(newest_.size());
  std::transform(newest_.begin(), newest_.end(), heard.begin(), [this, late_before](std::int64_t time) {
    return saturating_add(time, ttl_ns_) >= late_before ? std::uint8_t{1} : std::uint8_t{0};
  });
  return heard;
}

void KeyAges::keep(std::span<const std::uint8_t> kept) {
  std::size_t to = 0;
  for (std::size_t key = 0; key < newest_.size(); ++key) {
    if (kept[key] != 0) {
      newest_[to++] = newest_[key];
    }
  }
  newest_.resize(to);
}

void KeyAges::save(state::Writer& out) const {
  out.u64(newest_.size());
  for (const std::int64_t time : newest_) {
    out.i64(time);
  }
}

void KeyAges::load(state::Reader& in, std::uint32_t keys) {
  newest_.assign(in.count(sizeof(std::int64_t)), kEarliest);
  if (newest_.size() != keys) {
    throw Error("the checkpoint is damaged: it does not say of every key when it was heard");
  }
  for (std::int64_t& time : newest_) {
    time = in.i64();
  }
}

}  // namespace weir::runtime
