#include "runtime/batch_flow.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace weir::runtime {
namespace {

TEST(BatchPool, ADecoderWaitsUntilTheEngineReturnsABatch) {
  BatchPool pool(1, 1, 16, batch::host_column_memory());
  auto first = pool.acquire();
  ASSERT_TRUE(first);
  batch::Batch* const address = first.get();
  std::thread engine([&] { pool.release(std::move(first)); });
  const auto second = pool.acquire();
  engine.join();
  EXPECT_EQ(second.get(), address);
}

TEST(BatchPool, StopWakesAWaitingDecoder) {
  BatchPool pool(1, 1, 16, batch::host_column_memory());
  const auto only = pool.acquire();
  std::thread engine([&] { pool.stop(); });
  EXPECT_EQ(pool.acquire(), nullptr);
  engine.join();
}

TEST(BatchPool, AReturnedBatchIsEmpty) {
  BatchPool pool(1, 1, 16, batch::host_column_memory());
  auto batch = pool.acquire();
  batch->set_size(3);
  batch->received = 3;
  batch->runs.push_back({0, 0});
  pool.release(std::move(batch));
  batch = pool.acquire();
  EXPECT_EQ(batch->size(), 0U);
  EXPECT_EQ(batch->received, 0U);
  EXPECT_TRUE(batch->runs.empty());
}

TEST(BatchQueue, GivesBatchesInTheOrderOfSealingAndEndsAfterClose) {
  BatchQueue queue;
  queue.push({3, nullptr});
  queue.push({1, nullptr});
  queue.close();
  SealedBatch sealed;
  ASSERT_TRUE(queue.pop(sealed));
  EXPECT_EQ(sealed.stream, 3U);
  ASSERT_TRUE(queue.pop(sealed));
  EXPECT_EQ(sealed.stream, 1U);
  EXPECT_FALSE(queue.pop(sealed));
}

}  // namespace
}  // namespace weir::runtime
