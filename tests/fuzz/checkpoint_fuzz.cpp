// Any bytes as a checkpoint file: no crash, no over-read, and what is taken for good encodes to the same bytes again.
// The bytes are tried as they are, and as the body of files of either version whose head has the right checksum, since
// no fuzzer guesses one.
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "state/checkpoint_format.hpp"
#include "state/serial.hpp"

namespace {

using namespace weir::state;

void check(std::string_view bytes) {
  const ParsedHead parsed = parse_checkpoint(bytes);
  if (!parsed.damage.empty() || parsed.version != kCheckpointVersion) return;
  std::string again = encode_head(parsed.table);
  for (const SectionTable& section : parsed.table.sections) {
    for (const ChunkPlace& place : section.chunks) {
      if (place.file != parsed.table.number) continue;
      if (place.offset != again.size()) std::abort();
      again.append(bytes.substr(static_cast<std::size_t>(place.offset), static_cast<std::size_t>(place.bytes)));
    }
  }
  again.append(kCheckpointEnd);
  if (again != bytes) std::abort();
}

void check_framed(std::string_view body, std::uint32_t version) {
  Writer framed;
  framed.raw(kCheckpointMagic.data(), kCheckpointMagic.size());
  framed.u32(version);
  framed.u64(body.size());
  framed.u64(XXH3_64bits_withSeed(body.data(), body.size(), version));
  framed.raw(body.data(), body.size());
  framed.raw(kCheckpointEnd.data(), kCheckpointEnd.size());
  check(framed.bytes());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(bytes);
  check_framed(bytes, 1);
  check_framed(bytes, kCheckpointVersion);
  return 0;
}
