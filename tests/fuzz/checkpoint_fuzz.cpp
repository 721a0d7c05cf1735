// Any bytes as a checkpoint file: no crash, no over-read, and what is taken for good encodes to the same bytes again.
// The bytes are tried twice: as they are, and as the body of a file whose head has the right checksum, since no fuzzer
// guesses one.
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "state/checkpoint_format.hpp"
#include "state/serial.hpp"

namespace {

using namespace weir::state;

void check(std::string_view bytes) {
  const ParsedCheckpoint parsed = parse_checkpoint(bytes);
  if (!parsed.damage.empty() || parsed.version != kCheckpointVersion) return;
  std::vector<Section> sections;
  for (const auto& [name, content] : parsed.sections) sections.push_back({std::string(name), std::string(content)});
  std::string again = encode_checkpoint_head(parsed.number, parsed.written_ns, sections);
  for (const Section& section : sections) again.append(section.bytes);
  again.append(kCheckpointEnd);
  if (again != bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(bytes);
  Writer framed;
  framed.raw(kCheckpointMagic.data(), kCheckpointMagic.size());
  framed.u32(kCheckpointVersion);
  framed.u64(size);
  framed.u64(XXH3_64bits_withSeed(data, size, kCheckpointVersion));
  framed.raw(data, size);
  framed.raw(kCheckpointEnd.data(), kCheckpointEnd.size());
  check(framed.bytes());
  return 0;
}
