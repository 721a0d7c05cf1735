// Any bytes as the panes of a checkpoint, in either form of their numbers: no crash, no over-read, and what is taken
// for good is the same panes when it was encoded and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "execute/pane_codec.hpp"
#include "state/section_writer.hpp"
#include "state/serial.hpp"

namespace {

using namespace weir;
using namespace weir::execute;

constexpr std::uint32_t kGroups = 1000;

plan::QueryPlan query() {
  plan::QueryPlan query;
  query.pane_ns = query.window_ns = query.slide_ns = 10;
  plan::Argument all;
  all.parts = plan::kPartCount | plan::kPartSum | plan::kPartSquares | plan::kPartMinMax | plan::kPartFirst |
              plan::kPartLast | plan::kPartQuantile;
  plan::Argument count;
  count.parts = plan::kPartCount;
  query.arguments = {all, count};
  plan::Aggregate distinct;
  distinct.kind = plan::AggregateKind::distinct;
  query.aggregates = {distinct};
  return query;
}

/// What the bytes hold, encoded; empty: damaged.
std::string again(const plan::QueryPlan& plan, std::string_view bytes, PaneNumbers numbers) {
  if (bytes.size() < 8) return {};
  try {
    state::Reader in(bytes);
    const std::uint64_t panes = state::Reader(bytes).u64();
    PaneDecoder decoder(plan, in, numbers, kGroups);
    state::SectionWriter out;
    PaneEncoder encoder(plan, out, panes);
    PaneGroup group;
    std::int64_t start = 0;
    while (decoder.next_pane(start)) {
      encoder.pane(start, 1);
      while (decoder.next_group(group)) encoder.group(group);
    }
    encoder.finish();
    return std::string(out.bytes());
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const plan::QueryPlan kPlan = query();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const PaneNumbers numbers : {PaneNumbers::compact, PaneNumbers::fixed}) {
    const std::string good = again(kPlan, bytes, numbers);
    if (!good.empty() && again(kPlan, good, PaneNumbers::compact) != good) std::abort();
  }
  return 0;
}
