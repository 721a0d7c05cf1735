// Any bytes as a checkpoint file: no crash, no over-read, and what is taken for good encodes to the same bytes again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "state/checkpoint_format.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::state;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const ParsedCheckpoint parsed = parse_checkpoint(bytes);
  if (!parsed.damage.empty() || parsed.version != kCheckpointVersion) return 0;
  std::vector<Section> sections;
  for (const auto& [name, content] : parsed.sections) sections.push_back({std::string(name), std::string(content)});
  std::string again = encode_checkpoint_head(parsed.number, parsed.written_ns, sections);
  for (const Section& section : sections) again.append(section.bytes);
  again.append(kCheckpointEnd);
  if (again != bytes) std::abort();
  return 0;
}
