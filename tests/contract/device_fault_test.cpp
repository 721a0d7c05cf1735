// A device that is really lost in the middle of a run, by a kernel that writes where there is no memory: the panes go
// on on the CPU, and no row is lost or there twice. device_loss_test.cpp has the same for every call of a device that
// only pretends.
//
// An error like that stays with the process, so each case runs in one of its own: a death test in the style that starts
// the program anew.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "contract/backends.hpp"
#include "contract/device_fault.hpp"
#include "contract/engine_under_test.hpp"
#include "contract/naive_backend.hpp"
#include "contract/queries.hpp"
#include "contract/random_streams.hpp"
#include "execute/cuda/cuda_backend.hpp"
#include "kernels/host_device.hpp"
#include "support/kept_log.hpp"

namespace weir::contract {
namespace {

constexpr std::size_t kBatch = 50;

struct Fault {
  const char* name;
  std::size_t batch;  ///< before which the device is lost
  bool wait;          ///< until it is; otherwise some call of that batch meets it
  bool save;          ///< a checkpoint is what meets it
};

void PrintTo(const Fault& fault, std::ostream* out) {
  *out << fault.name;
}

/// What two queries that share a backend answer; at(engines) is called before batch `when`.
template <class At>
std::vector<std::vector<std::string>> rows_of(const std::vector<plan::Plan>& plans, execute::Backend& backend,
                                              std::span<const oracle::Event> events, std::size_t when, const At& at) {
  std::vector<std::unique_ptr<EngineUnderTest>> engines;
  for (const plan::Plan& plan : plans) engines.push_back(std::make_unique<EngineUnderTest>(plan, backend));
  for (std::size_t from = 0; from < events.size(); from += kBatch) {
    if (from / kBatch == when) at(engines);
    for (const auto& engine : engines) engine->feed(events.subspan(from, std::min(kBatch, events.size() - from)));
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& engine : engines) {
    engine->feed({}, true);
    rows.push_back(engine->texts());
  }
  return rows;
}

/// @return 0 when every row is there once and the log says that both queries lost the device; tells why it is another
template <class Lose>
int run(execute::Backend& backend, const Fault& fault, const Lose& lose) {
  StreamShape shape;
  shape.seed = 410;
  shape.readings = 2000;
  shape.disorder = kSecond;
  shape.straggler_share = 0.05;
  const std::vector<oracle::Event> events = random_stream(shape);
  std::vector<plan::Plan> plans;
  for (const QueryCase& query : {every_aggregate().with(6 * kSecond, 2 * kSecond),
                                 count_by_sensor().with(4 * kSecond, 4 * kSecond, 6 * kSecond)}) {
    plans.push_back(plan_of(plugs_stream(1, kSecond), query.spec));
  }
  const test::KeptLog log;
  const auto naive = make_naive_backend();
  const auto expected = rows_of(plans, *naive, events, 0, [](const auto&) {});
  const auto rows = rows_of(plans, backend, events, fault.batch, [&](const auto& engines) {
    lose();
    if (!fault.save) return;
    for (const auto& engine : engines) static_cast<void>(engine->save());
  });
  const auto losses = static_cast<std::size_t>(log.times("move to the CPU"));
  std::fprintf(stderr, "%s", log.text().c_str());
  std::fprintf(stderr, "%zu and %zu rows of %zu and %zu, %zu losses\n", rows[0].size(), rows[1].size(),
               expected[0].size(), expected[1].size(), losses);
  return expected[0].empty() || expected[1].empty() || rows != expected ? 1 : losses != plans.size() ? 2 : 0;
}

/// The whole life of a backend that is lost.
int run_on_gpu(const Fault& fault) {
  const auto backend = make_backend_under_test("cuda");
  return backend == nullptr ? 3 : run(*backend, fault, [&] { break_cuda_device(fault.wait); });
}

class DeviceFault : public ::testing::TestWithParam<Fault> {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_P(DeviceFault, Rows_AreTheSameWhenAKernelBreaksTheDevice) {
  if (may_skip("cuda")) GTEST_SKIP() << "no CUDA device here";
  EXPECT_EXIT(std::_Exit(run_on_gpu(GetParam())), ::testing::ExitedWithCode(0), "");
}

TEST(DeviceFaultTest, SeesWhetherTheDeviceWasLost) {
  for (const bool lose : {true, false}) {
    auto made = kernels::host::make_host_device();
    kernels::host::HostDevice& device = *made;
    execute::cuda::CudaBackend backend(std::move(made), 1);
    EXPECT_EQ(run(backend, {"on the host", 11, false, false}, [&] { lose ? device.lose() : void(); }), lose ? 0 : 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, DeviceFault,
                         ::testing::Values(Fault{"at_once", 0, true, false}, Fault{"noticed_later", 11, false, false},
                                           Fault{"between_batches", 23, true, false},
                                           Fault{"by_a_checkpoint", 30, false, true},
                                           Fault{"at_the_end", 39, false, false}),
                         [](const auto& param_info) { return std::string(param_info.param.name) + "_cuda"; });

}  // namespace
}  // namespace weir::contract
