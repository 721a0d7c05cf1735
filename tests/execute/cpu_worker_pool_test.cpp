#include "execute/cpu/worker_pool.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace weir::execute::cpu {
namespace {

TEST(WorkerPool, EachWorker_RunsOnce) {
  for (unsigned threads = 1; threads <= 4; ++threads) {
    WorkerPool pool(threads);
    ASSERT_EQ(pool.threads(), threads);
    for (unsigned workers = 1; workers <= threads; ++workers) {
      for (int round = 0; round < 200; ++round) {
        std::vector<int> runs(threads, 0);
        pool.run(workers, [&](unsigned worker) { ++runs[worker]; });
        for (unsigned i = 0; i < threads; ++i) ASSERT_EQ(runs[i], i < workers ? 1 : 0);
      }
    }
  }
}

TEST(WorkerPool, WorkerZero_IsTheCallingThread) {
  WorkerPool pool(3);
  std::vector<std::thread::id> ids(3);
  pool.run(3, [&](unsigned worker) { ids[worker] = std::this_thread::get_id(); });
  EXPECT_EQ(ids[0], std::this_thread::get_id());
  EXPECT_NE(ids[1], ids[0]);
  EXPECT_NE(ids[2], ids[1]);
}

TEST(WorkerPool, Exception_ReachesTheCallerAfterAllHaveEnded) {
  WorkerPool pool(4);
  for (unsigned thrower = 0; thrower < 4; ++thrower) {
    std::vector<int> ended(4, 0);
    EXPECT_THROW(pool.run(4,
                          [&](unsigned worker) {
                            ended[worker] = 1;
                            if (worker == thrower) throw std::runtime_error("no memory");
                          }),
                 std::runtime_error);
    EXPECT_EQ(std::accumulate(ended.begin(), ended.end(), 0), 4);
  }
  int sum = 0;
  pool.run(1, [&](unsigned) { ++sum; });
  EXPECT_EQ(sum, 1);
}

TEST(WorkerPool, SleepingThreads_WakeForTheNextRun) {
  WorkerPool pool(2);
  std::vector<int> runs(2, 0);
  pool.run(2, [&](unsigned worker) { ++runs[worker]; });
  // Longer than the threads look out for work, whenever the machine gets round to it.
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
  while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
  pool.run(2, [&](unsigned worker) { ++runs[worker]; });
  EXPECT_EQ(runs, (std::vector<int>{2, 2}));
}

TEST(WorkerPool, IdlePool_Ends) {
  WorkerPool pool(4);
}

}  // namespace
}  // namespace weir::execute::cpu
