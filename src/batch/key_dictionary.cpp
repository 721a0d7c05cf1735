#include "batch/key_dictionary.hpp"

#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace weir::batch {
namespace {

constexpr std::uint32_t kEntriesPerChunk = 4096;   // one chunk of pointers is 32 KiB
constexpr std::size_t kArenaBytes = 256U * 1024U;  // text of some thousand tuples
constexpr std::uint32_t kEmptySlot = 0xFFFF'FFFFU;
constexpr std::size_t kSmallestTable = 64;

struct Slot {
  std::uint32_t tag;  ///< upper half of the hash: most unequal tuples are told apart without touching their text
  std::uint32_t id = kEmptySlot;
};

std::uint64_t hash_tuple(std::span<const std::string_view> tuple) noexcept {
  std::uint64_t hash = tuple.size();
  for (const std::string_view part : tuple) {
    hash = XXH3_64bits_withSeed(part.data(), part.size(), hash);
  }
  return hash;
}

// Half full at most: probes stay short.
std::size_t table_size_for(std::uint64_t entries) noexcept {
  std::size_t size = kSmallestTable;
  while (size < entries * 2) {
    size *= 2;
  }
  return size;
}

}  // namespace

// An entry is one run of bytes in an arena: `arity` end offsets (u32), then the text of all keys. Entries and the
// chunks that point to them never move; the directory of chunks is allocated once. So a reader that got an id through a
// published size() needs no lock.
struct KeyDictionary::Impl {
  std::vector<std::unique_ptr<const unsigned char*[]>> chunks;
  std::vector<std::unique_ptr<unsigned char[]>> arenas;
  unsigned char* arena_next = nullptr;
  std::size_t arena_left = 0;
  std::uint64_t arena_bytes = 0;
  std::vector<Slot> table;
  std::atomic<std::uint32_t> size{0};

  unsigned char* allocate(std::size_t bytes) {
    bytes = (bytes + 3U) & ~std::size_t{3};  // offsets stay aligned
    if (bytes > arena_left) {
      const std::size_t block = std::max(bytes, kArenaBytes);
      arenas.push_back(std::make_unique_for_overwrite<unsigned char[]>(block));
      arena_next = arenas.back().get();
      arena_left = block;
      arena_bytes += block;
    }
    unsigned char* const result = arena_next;
    arena_next += bytes;
    arena_left -= bytes;
    return result;
  }

  [[nodiscard]] const unsigned char* entry(std::uint32_t id) const noexcept {
    return chunks[id / kEntriesPerChunk][id % kEntriesPerChunk];
  }

  static std::string_view part(const unsigned char* entry, std::size_t arity, std::size_t key) noexcept {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    if (key > 0) {
      std::memcpy(&begin, entry + (key - 1) * sizeof(std::uint32_t), sizeof begin);
    }
    std::memcpy(&end, entry + key * sizeof(std::uint32_t), sizeof end);
    const void* const text = entry + arity * sizeof(std::uint32_t) + begin;
    return {static_cast<const char*>(text), end - begin};
  }

  static bool equals(const unsigned char* entry, std::span<const std::string_view> tuple) noexcept {
    for (std::size_t key = 0; key < tuple.size(); ++key) {
      if (part(entry, tuple.size(), key) != tuple[key]) {
        return false;
      }
    }
    return true;
  }

  void grow_table() {
    std::vector<Slot> larger(table.size() * 2);
    // Each slot keeps half of the hash only, so the other half is computed anew; this happens log2(keys) times.
    for (std::uint32_t id = 0; id < size.load(std::memory_order_relaxed); ++id) {
      std::uint64_t hash = arity;
      for (std::size_t key = 0; key < arity; ++key) {
        const std::string_view text = part(entry(id), arity, key);
        hash = XXH3_64bits_withSeed(text.data(), text.size(), hash);
      }
      std::size_t at = hash & (larger.size() - 1);
      while (larger[at].id != kEmptySlot) {
        at = (at + 1) & (larger.size() - 1);
      }
      larger[at] = {static_cast<std::uint32_t>(hash >> 32U), id};
    }
    table = std::move(larger);
  }

  std::size_t arity = 0;
};

KeyDictionary::KeyDictionary(std::size_t arity, std::uint32_t max_keys)
    : arity_(arity), max_keys_(std::min(max_keys, kEmptySlot - 1)), impl_(std::make_unique<Impl>()) {
  impl_->arity = arity;
  impl_->chunks.resize((std::size_t{max_keys_} + kEntriesPerChunk - 1) / kEntriesPerChunk);
  impl_->table.resize(kSmallestTable);
}

KeyDictionary::~KeyDictionary() = default;

std::optional<std::uint32_t> KeyDictionary::intern(std::span<const std::string_view> tuple) {
  Impl& impl = *impl_;
  const std::uint64_t hash = hash_tuple(tuple);
  const auto tag = static_cast<std::uint32_t>(hash >> 32U);
  std::size_t at = hash & (impl.table.size() - 1);
  for (; impl.table[at].id != kEmptySlot; at = (at + 1) & (impl.table.size() - 1)) {
    if (impl.table[at].tag == tag && Impl::equals(impl.entry(impl.table[at].id), tuple)) {
      return impl.table[at].id;
    }
  }
  const std::uint32_t id = impl.size.load(std::memory_order_relaxed);
  if (id >= max_keys_) {
    return std::nullopt;
  }
  std::size_t text_bytes = 0;
  for (const std::string_view part : tuple) {
    text_bytes += part.size();
  }
  unsigned char* const entry = impl.allocate(arity_ * sizeof(std::uint32_t) + text_bytes);
  std::uint32_t end = 0;
  for (std::size_t key = 0; key < arity_; ++key) {
    if (!tuple[key].empty()) {
      std::memcpy(entry + arity_ * sizeof(std::uint32_t) + end, tuple[key].data(), tuple[key].size());
    }
    end += static_cast<std::uint32_t>(tuple[key].size());
    std::memcpy(entry + key * sizeof(std::uint32_t), &end, sizeof end);
  }
  auto& chunk = impl.chunks[id / kEntriesPerChunk];
  if (!chunk) {
    chunk = std::make_unique<const unsigned char*[]>(kEntriesPerChunk);
  }
  chunk[id % kEntriesPerChunk] = entry;
  impl.table[at] = {tag, id};
  impl.size.store(id + 1, std::memory_order_release);
  if ((std::uint64_t{id} + 1) * 2 > impl.table.size()) {
    impl.grow_table();
  }
  return id;
}

std::uint32_t KeyDictionary::size() const noexcept {
  return impl_->size.load(std::memory_order_acquire);
}

std::string_view KeyDictionary::value(std::uint32_t id, std::size_t key) const noexcept {
  return Impl::part(impl_->entry(id), arity_, key);
}

std::uint64_t KeyDictionary::bytes() const noexcept {
  const std::uint64_t chunks = (std::uint64_t{size()} + kEntriesPerChunk - 1) / kEntriesPerChunk;
  return impl_->arena_bytes + impl_->table.size() * sizeof(Slot) + chunks * kEntriesPerChunk * sizeof(void*) +
         impl_->chunks.size() * sizeof(void*);
}

std::uint64_t KeyDictionary::worst_case_bytes(std::size_t arity, std::uint32_t max_keys,
                                              std::size_t mean_key_bytes) noexcept {
  const std::uint64_t entry = (arity * (sizeof(std::uint32_t) + mean_key_bytes) + 3U) & ~std::uint64_t{3};
  const std::uint64_t chunks = (std::uint64_t{max_keys} + kEntriesPerChunk - 1) / kEntriesPerChunk;
  return entry * max_keys + kArenaBytes + table_size_for(max_keys) * sizeof(Slot) +
         chunks * (kEntriesPerChunk + 1) * sizeof(void*);
}

}  // namespace weir::batch
