#include "state/saved_keys.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace weir::state {

void save_keys(const batch::KeyDictionary& keys, std::uint32_t count, SectionWriter& section) {
  constexpr std::uint32_t kKeysPerChunk = 4096;
  for (std::uint32_t begin = 0; begin < count;) {
    const std::uint32_t size = std::min(count - begin, kKeysPerChunk);
    if (section.begin_chunk(begin / kKeysPerChunk, size)) {
      for (std::uint32_t id = begin; id < begin + size; ++id) {
        for (std::size_t key = 0; key < keys.arity(); ++key) {
          section.out().text(keys.value(id, key));
        }
      }
    }
    begin += size;
  }
  section.end_chunk();
}

bool load_keys(Reader& in, std::uint32_t count, batch::KeyDictionary& keys, std::size_t& longest) {
  // A block's places in the table are on their way from memory while the texts of the rest of it are read.
  constexpr std::uint32_t kBlock = 64;
  const std::size_t arity = keys.arity();
  std::vector<std::string_view> texts(kBlock * arity);
  std::array<std::uint64_t, kBlock> hashes{};
  keys.reserve(static_cast<std::uint32_t>(std::min<std::uint64_t>(count, in.remaining() / sizeof(std::uint64_t))));
  for (std::uint32_t begin = 0; begin < count;) {
    const std::uint32_t size = std::min(count - begin, kBlock);
    for (std::uint32_t i = 0; i < size; ++i) {
      const std::span<std::string_view> tuple(texts.data() + i * arity, arity);
      std::size_t bytes = 0;
      for (std::string_view& text : tuple) {
        text = in.text();
        bytes += text.size();
      }
      longest = std::max(longest, bytes);
      hashes[i] = batch::KeyDictionary::hash(tuple);
      keys.prefetch(hashes[i]);
    }
    for (std::uint32_t i = 0; i < size; ++i) {
      if (keys.intern({texts.data() + i * arity, arity}, hashes[i]) != begin + i) {
        return false;
      }
    }
    begin += size;
  }
  return true;
}

}  // namespace weir::state
