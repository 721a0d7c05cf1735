// The key tuples of a stream in its checkpoint: chunks of 4,096 tuples, of which only the last one ever grows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "batch/key_dictionary.hpp"
#include "state/section_writer.hpp"
#include "state/serial.hpp"

namespace weir::state {

/// @brief Writes the texts of the tuples [0, count), each key's length and bytes. The chunks' ids are below 2^32.
void save_keys(const batch::KeyDictionary& keys, std::uint32_t count, SectionWriter& section);

/// @brief Reads them into an empty dictionary; false when it does not take them all with the ids that they had.
/// @param longest becomes the bytes of the longest tuple, if that is more
/// @throws Error when the bytes end too early
bool load_keys(Reader& in, std::uint32_t count, batch::KeyDictionary& keys, std::size_t& longest);

}  // namespace weir::state
