#include "kernels/fibres.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace weir::kernels::host {
namespace {

TEST(Fibres, Barrier_LetsEveryThreadSeeWhatTheOthersWroteBefore) {
  for (const std::uint32_t threads : {1U, 2U, 31U, 32U, 33U, 256U}) {
    std::vector<int> written(threads, 0);
    std::vector<int> seen(threads, 0);
    run_fibres(threads, [&](std::uint32_t thread) {
      for (int round = 1; round <= 3; ++round) {
        written[thread] = round;
        fibre_barrier();
        for (const int value : written) seen[thread] += value == round ? 1 : 0;
        fibre_barrier();
      }
    });
    EXPECT_EQ(seen, std::vector<int>(threads, static_cast<int>(3 * threads)));
  }
}

TEST(Fibres, Barrier_ThatSomeLeaveOutIsAnError) {
  EXPECT_THROW(run_fibres(4,
                          [](std::uint32_t thread) {
                            if (thread != 2) fibre_barrier();
                          }),
               std::logic_error);
}

TEST(Fibres, Exception_ReachesTheCaller) {
  EXPECT_THROW(run_fibres(3, [](std::uint32_t) { throw std::runtime_error("thrown"); }), std::runtime_error);
}

}  // namespace
}  // namespace weir::kernels::host
