#include "execute/cpu/worker_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace weir::execute::cpu {
namespace {

TEST(WorkerPool, EachPiece_RunsOnce) {
  for (unsigned threads = 1; threads <= 4; ++threads) {
    WorkerPool pool(threads);
    ASSERT_EQ(pool.threads(), threads);
    for (std::size_t pieces = 0; pieces <= 9; ++pieces) {
      for (int round = 0; round < 200; ++round) {
        std::vector<int> runs(pieces, 0);
        pool.run(pieces, [&](unsigned worker, std::size_t piece) {
          ASSERT_LT(worker, threads);
          ++runs[piece];
        });
        for (const int count : runs) ASSERT_EQ(count, 1);
      }
    }
  }
}

// Each piece waits for the others: they get done only if every thread takes one.
TEST(WorkerPool, Threads_WorkAtTheSameTime) {
  constexpr unsigned kThreads = 3;
  WorkerPool pool(kThreads);
  std::vector<std::thread::id> ids(kThreads);
  std::atomic<unsigned> begun{0};
  pool.run(kThreads, [&](unsigned worker, std::size_t) {
    ids[worker] = std::this_thread::get_id();
    ++begun;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (begun < kThreads && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  });
  EXPECT_EQ(ids[0], std::this_thread::get_id());
  EXPECT_EQ(begun, kThreads);
  EXPECT_NE(ids[1], ids[0]);
  EXPECT_NE(ids[2], ids[1]);
}

// A thread that is stuck in its first piece keeps nobody from the rest of its share.
TEST(WorkerPool, PiecesOfABusyThread_AreTakenByTheOthers) {
  WorkerPool pool(2);
  std::atomic<int> done{0};
  pool.run(10, [&](unsigned, std::size_t piece) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (piece == 5 && done < 9 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    ++done;
  });
  EXPECT_EQ(done, 10);
}

TEST(WorkerPool, Exception_ReachesTheCallerAndThePoolGoesOn) {
  WorkerPool pool(4);
  for (std::size_t thrower = 0; thrower < 8; ++thrower) {
    EXPECT_THROW(pool.run(8,
                          [&](unsigned, std::size_t piece) {
                            if (piece == thrower) throw std::runtime_error("no memory");
                          }),
                 std::runtime_error);
  }
  std::atomic<std::size_t> sum{0};
  pool.run(8, [&](unsigned, std::size_t piece) { sum += piece; });
  EXPECT_EQ(sum, 28U);
}

TEST(WorkerPool, SleepingThreads_WakeForTheNextRun) {
  WorkerPool pool(2);
  for (int round = 0; round < 3; ++round) {
    // Longer than the threads look out for work, whenever the machine gets round to it.
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
    std::atomic<unsigned> begun{0};
    pool.run(2, [&](unsigned, std::size_t) {
      ++begun;
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
      while (begun < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    });
    EXPECT_EQ(begun, 2U);
  }
}

TEST(WorkerPool, IdlePool_Ends) {
  WorkerPool pool(4);
}

}  // namespace
}  // namespace weir::execute::cpu
