#include "runtime/saved_keys.hpp"

#include <algorithm>

namespace weir::runtime {

void save_keys(const batch::KeyDictionary& keys, std::uint32_t count, state::SectionWriter& section) {
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

}  // namespace weir::runtime
