// The CUDA backend on a device that fails after some number of calls: the same rows as if it had not, none lost, none
// twice.
#include <gtest/gtest.h>

#include "contract/engine_under_test.hpp"
#include "contract/host_cuda.hpp"
#include "contract/naive_backend.hpp"
#include "contract/queries.hpp"
#include "contract/random_streams.hpp"
#include "support/kept_log.hpp"
#include "support/sanitized.hpp"

namespace weir::contract {
namespace {

using kernels::host::HostDeviceOptions;

std::vector<oracle::Event> stream() {
  StreamShape shape;
  shape.seed = 400;
  shape.readings = 400;
  shape.disorder = kSecond;
  shape.straggler_share = 0.05;
  shape.new_plug_every = 50;
  return random_stream(shape);
}

enum class Save { never, at_once, later };

/// Asks for the bytes of a checkpoint. Lost while it was on its way: there is none, and the engine does not know yet.
void write(state::SectionWriter& section) {
  try {
    section.resolve();
  } catch (const kernels::DeviceError&) {
  }
}

/// Feeds the stream in batches of 20 events; two checkpoints in between when asked for, written at once or some batches
/// later.
void feed(EngineUnderTest& engine, std::span<const oracle::Event> events, Save save) {
  state::SectionWriter section;
  for (std::size_t from = 0; from < events.size(); from += 20) {
    engine.feed(events.subspan(from, std::min<std::size_t>(20, events.size() - from)));
    const bool saves = save != Save::never && (from == 160 || from == 260);
    if (saves) {
      section = {};
      engine.save(section);
    }
    if (save == Save::later ? from == 240 : saves) write(section);
  }
  engine.feed({}, true);
  write(section);
}

struct Loss {
  const char* name;
  std::size_t keep_bytes;
  Save save;
};

class DeviceLoss : public ::testing::TestWithParam<Loss> {
 private:
  const test::KeptLog log_;  // each loss is reported, and here are hundreds
};

// of a query
constexpr std::uint64_t kLosses = test::kSanitized ? 9 : 29;

TEST_P(DeviceLoss, Rows_AreTheSameWhereverTheDeviceIsLost) {
  const std::vector<oracle::Event> events = stream();
  for (const QueryCase& query : {every_aggregate().with(6 * kSecond, 2 * kSecond),
                                 count_by_sensor().with(4 * kSecond, 4 * kSecond, 6 * kSecond), total()}) {
    const plan::Plan plan = plan_of(plugs_stream(1, kSecond), query.spec);
    const auto naive = make_naive_backend();
    EngineUnderTest whole(plan, *naive);
    feed(whole, events, Save::never);

    execute::cuda::Tuning tuning;
    tuning.keep_bytes = GetParam().keep_bytes;
    std::uint64_t calls = 0;
    std::uint64_t first = 0;
    {
      HostCuda good({}, tuning);
      EngineUnderTest engine(plan, *good.backend);
      first = good.device->calls();
      feed(engine, events, GetParam().save);
      calls = good.device->calls();
      ASSERT_EQ(engine.texts(), whole.texts());
    }
    for (std::uint64_t loss = first; loss < calls; loss += 1 + (calls - first) / kLosses) {
      SCOPED_TRACE(query.name + ", lost after " + std::to_string(loss) + " calls");
      HostDeviceOptions options;
      options.good_calls = loss;
      HostCuda failing(options, tuning);
      EngineUnderTest engine(plan, *failing.backend);
      feed(engine, events, GetParam().save);
      ASSERT_EQ(engine.texts(), whole.texts());
      ASSERT_EQ(engine.late_readings(), whole.late_readings());
      ASSERT_EQ(engine.ledger().counted, whole.ledger().counted);
      ASSERT_EQ(engine.ledger().late, whole.ledger().late);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Snapshots, DeviceLoss,
                         ::testing::Values(Loss{"never", std::size_t{1} << 30U, Save::never},
                                           Loss{"after_every_batch", 1, Save::never},
                                           Loss{"some_batches", 8'000, Save::never},
                                           Loss{"at_checkpoints", std::size_t{1} << 30U, Save::at_once},
                                           Loss{"while_a_checkpoint_is_on_its_way", std::size_t{1} << 30U, Save::later},
                                           Loss{"while_it_is_on_its_way_and_much_is_kept", 3'000, Save::later}),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace weir::contract
