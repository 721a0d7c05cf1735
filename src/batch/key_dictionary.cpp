#include "batch/key_dictionary.hpp"

#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <utility>

#include "core/large_array.hpp"

namespace weir::batch {
namespace {

constexpr std::uint32_t kEntriesPerChunk = 4096;   // one chunk of pointers is 32 KiB
constexpr std::size_t kUnit = 4;                   // entries begin on multiples: their offsets are aligned
constexpr std::size_t kBlockBytes = 256U * 1024U;  // text of some thousand tuples
constexpr std::size_t kBlockUnits = kBlockBytes / kUnit;
constexpr std::size_t kManyBlocks = 16;  // from here on blocks come by 2 MiB, in large pages
constexpr std::size_t kBlocksAtOnce = 8;
constexpr std::uint32_t kEmptySlot = 0xFFFF'FFFFU;
constexpr unsigned kSmallestTable = 6;  // log2

struct Slot {
  /// Upper half of the hash. Its upper bits give the slot's place, so a larger table is made without looking at texts;
  /// the lower ones tell most unequal tuples apart.
  std::uint32_t tag;
  std::uint32_t unit = kEmptySlot;  ///< where the entry begins
};

constexpr std::uint32_t tag_of(std::uint64_t hash) noexcept {
  return static_cast<std::uint32_t>(hash >> 32U);
}

// Half full at most: probes stay short.
unsigned table_log_for(std::uint64_t entries) noexcept {
  return std::max(kSmallestTable, static_cast<unsigned>(std::bit_width(entries * 2 - (entries > 0 ? 1 : 0))));
}

}  // namespace

// An entry is one run of bytes in a block: its id, `arity` end offsets (u32 each), then the text of all keys. Entries
// and the chunks that point to them never move; the directory of chunks is allocated once. So a reader that got an id
// through a published size() needs no lock.
struct KeyDictionary::Impl {
  std::vector<std::unique_ptr<const unsigned char*[]>> chunks;
  std::vector<LargeArray<unsigned char>> memory;
  std::vector<unsigned char*> blocks;  // [unit / kBlockUnits]; a large allocation is several
  std::size_t next = 0;                // unit that the next entry may begin at
  std::size_t end = 0;
  std::uint64_t text_bytes = 0;
  LargeArray<Slot> table;
  unsigned log = 0;
  std::atomic<std::uint32_t> size{0};

  explicit Impl(std::uint32_t max_keys) : chunks((std::size_t{max_keys} + kEntriesPerChunk - 1) / kEntriesPerChunk) {
    make_table(kSmallestTable);
  }

  [[nodiscard]] std::size_t mask() const noexcept { return (std::size_t{1} << log) - 1; }
  [[nodiscard]] std::size_t place(std::uint32_t tag) const noexcept { return tag >> (32U - log); }
  [[nodiscard]] unsigned char* at(std::size_t unit) const noexcept {
    return blocks[unit / kBlockUnits] + unit % kBlockUnits * kUnit;
  }

  /// The unit of so many bytes; kEmptySlot when there are no more units.
  std::uint32_t allocate(std::size_t bytes) {
    const std::size_t units = (bytes + kUnit - 1) / kUnit;
    if (units > end - next) {
      const std::size_t least = (units + kBlockUnits - 1) / kBlockUnits;
      const std::size_t count = std::max(least, blocks.size() < kManyBlocks ? 1 : kBlocksAtOnce);
      if ((blocks.size() + count) * kBlockUnits > kEmptySlot) {
        return kEmptySlot;
      }
      memory.emplace_back(count * kBlockBytes);
      next = blocks.size() * kBlockUnits;
      end = next + count * kBlockUnits;
      for (std::size_t i = 0; i < count; ++i) {
        blocks.push_back(memory.back().data() + i * kBlockBytes);
      }
      text_bytes += count * kBlockBytes;
    }
    const auto unit = static_cast<std::uint32_t>(next);
    next += units;
    return unit;
  }

  static std::uint32_t id_of(const unsigned char* entry) noexcept {
    std::uint32_t id = 0;
    std::memcpy(&id, entry, sizeof id);
    return id;
  }

  [[nodiscard]] const unsigned char* entry(std::uint32_t id) const noexcept {
    return chunks[id / kEntriesPerChunk][id % kEntriesPerChunk];
  }

  static std::string_view part(const unsigned char* entry, std::size_t arity, std::size_t key) noexcept {
    // Offset `key` stands behind the id: in its place [1 + key].
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    if (key > 0) {
      std::memcpy(&begin, entry + key * sizeof(std::uint32_t), sizeof begin);
    }
    std::memcpy(&end, entry + (1 + key) * sizeof(std::uint32_t), sizeof end);
    const void* const text = entry + (1 + arity) * sizeof(std::uint32_t) + begin;
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

  void make_table(unsigned larger) {
    LargeArray<Slot> old = std::move(table);
    table = LargeArray<Slot>(std::size_t{1} << larger);
    std::fill_n(table.data(), table.size(), Slot{});
    log = larger;
    // In the order of their places, so the new table is written from its beginning to its end.
    for (std::size_t i = 0; i < old.size(); ++i) {
      if (old.data()[i].unit == kEmptySlot) {
        continue;
      }
      std::size_t to = place(old.data()[i].tag);
      while (table.data()[to].unit != kEmptySlot) {
        to = (to + 1) & mask();
      }
      table.data()[to] = old.data()[i];
    }
  }
};

KeyDictionary::KeyDictionary(std::size_t arity, std::uint32_t max_keys)
    : arity_(arity), max_keys_(std::min(max_keys, kEmptySlot - 1)), impl_(std::make_unique<Impl>(max_keys_)) {}

KeyDictionary::~KeyDictionary() = default;

std::uint64_t KeyDictionary::hash(std::span<const std::string_view> tuple) noexcept {
  std::uint64_t hash = tuple.size();
  for (const std::string_view part : tuple) {
    hash = XXH3_64bits_withSeed(part.data(), part.size(), hash);
  }
  return hash;
}

void KeyDictionary::prefetch(std::uint64_t hash) const noexcept {
  __builtin_prefetch(impl_->table.data() + impl_->place(tag_of(hash)));
}

void KeyDictionary::prefetch_entry(std::uint64_t hash) const noexcept {
  const Slot& slot = impl_->table.data()[impl_->place(tag_of(hash))];
  if (slot.unit != kEmptySlot) {
    __builtin_prefetch(impl_->at(slot.unit));
  }
}

// Into new memory: entries of any length leave no holes there.
void KeyDictionary::keep(std::span<const std::uint8_t> kept) {
  const std::unique_ptr<Impl> old = std::exchange(impl_, std::make_unique<Impl>(max_keys_));
  std::vector<std::string_view> tuple(arity_);
  for (std::uint32_t id = 0; id < kept.size(); ++id) {
    if (kept[id] == 0) {
      continue;
    }
    for (std::size_t key = 0; key < arity_; ++key) {
      tuple[key] = Impl::part(old->entry(id), arity_, key);
    }
    intern(tuple);
  }
  ++generation_;
}

void KeyDictionary::reserve(std::uint32_t keys) {
  if (const unsigned log = table_log_for(std::min(keys, max_keys_)); log > impl_->log) {
    impl_->make_table(log);
  }
}

std::optional<std::uint32_t> KeyDictionary::intern(std::span<const std::string_view> tuple, std::uint64_t hash) {
  Impl& impl = *impl_;
  const std::uint32_t tag = tag_of(hash);
  Slot* const table = impl.table.data();
  std::size_t at = impl.place(tag);
  for (; table[at].unit != kEmptySlot; at = (at + 1) & impl.mask()) {
    const unsigned char* const entry = impl.at(table[at].unit);
    if (table[at].tag == tag && Impl::equals(entry, tuple)) {
      return Impl::id_of(entry);
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
  const std::size_t head_bytes = (1 + arity_) * sizeof(std::uint32_t);
  const std::uint32_t unit = impl.allocate(head_bytes + text_bytes);
  if (unit == kEmptySlot) {
    return std::nullopt;
  }
  unsigned char* const entry = impl.at(unit);
  std::memcpy(entry, &id, sizeof id);
  std::uint32_t end = 0;
  for (std::size_t key = 0; key < arity_; ++key) {
    if (!tuple[key].empty()) {
      std::memcpy(entry + head_bytes + end, tuple[key].data(), tuple[key].size());
    }
    end += static_cast<std::uint32_t>(tuple[key].size());
    std::memcpy(entry + (1 + key) * sizeof(std::uint32_t), &end, sizeof end);
  }
  auto& chunk = impl.chunks[id / kEntriesPerChunk];
  if (!chunk) {
    chunk = std::make_unique<const unsigned char*[]>(kEntriesPerChunk);
  }
  chunk[id % kEntriesPerChunk] = entry;
  table[at] = {tag, unit};
  impl.size.store(id + 1, std::memory_order_release);
  if ((std::uint64_t{id} + 1) * 2 > impl.table.size()) {
    impl.make_table(impl.log + 1);
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
  return impl_->text_bytes + impl_->table.size() * sizeof(Slot) + chunks * kEntriesPerChunk * sizeof(void*) +
         impl_->chunks.size() * sizeof(void*);
}

std::uint64_t KeyDictionary::worst_case_bytes(std::size_t arity, std::uint32_t max_keys,
                                              std::size_t tuple_bytes) noexcept {
  const std::uint64_t entry = ((1 + arity) * sizeof(std::uint32_t) + tuple_bytes + kUnit - 1) / kUnit * kUnit;
  const std::uint64_t chunks = (std::uint64_t{max_keys} + kEntriesPerChunk - 1) / kEntriesPerChunk;
  // The last block, of however many at once, may have just begun. The end of each may be too short for one more entry.
  const std::uint64_t filled = kBlockBytes - std::min<std::uint64_t>(entry, kBlockBytes / 2);
  const std::uint64_t blocks = (entry * max_keys + filled - 1) / filled;
  const std::uint64_t spare = blocks > kManyBlocks ? kBlocksAtOnce : 1;
  // While the table grows, the one of half the size is there too.
  return (blocks + spare) * kBlockBytes + (std::uint64_t{1} << table_log_for(max_keys)) * sizeof(Slot) * 3 / 2 +
         chunks * (kEntriesPerChunk + 1) * sizeof(void*);
}

}  // namespace weir::batch
