#include "execute/cpu/cpu_backend.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <string_view>
#include <thread>

#include "core/duration.hpp"
#include "execute/cpu/cpu_panes.hpp"

namespace weir::execute {
namespace {

/// The processor's name as the kernel has it; empty where it says none.
std::string processor_model() {
  std::ifstream information("/proc/cpuinfo");
  for (std::string line; std::getline(information, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return {};
}

std::uint64_t physical_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGE_SIZE);
  return pages > 0 && page > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page) : 0;
}

unsigned all_cores() noexcept {
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

namespace cpu {

std::string CpuBackend::description() const {
  const std::string model = processor_model();
  const unsigned threads = workers_.threads();
  return (model.empty() ? "processor" : model) + ", " + std::to_string(threads) +
         (threads == 1 ? " thread, " : " threads, ") + bytes_to_string(physical_memory());
}

MemoryNeed CpuBackend::worst_case(const plan::QueryPlan& query, std::int64_t panes) const {
  return {CpuPanes::worst_case(query, panes, workers_.threads()), 0};
}

void CpuBackend::run_pieces(std::size_t pieces, const std::function<void(std::size_t)>& piece) {
  constexpr std::size_t kMostWorkers = 64;
  const std::size_t workers = std::min({pieces, std::size_t{workers_.threads()}, kMostWorkers});
  // Neighbours go to one worker: accumulate() divides a batch in the same way, and finds what was read here in its
  // caches. Who is done takes what is left of the others.
  struct alignas(64) Share {
    std::atomic<std::size_t> next;
  };
  std::array<Share, kMostWorkers> shares;
  for (std::size_t w = 0; w < workers; ++w) shares[w].next = pieces * w / workers;
  workers_.run(static_cast<unsigned>(workers), [&](unsigned worker) {
    for (std::size_t turn = 0; turn < workers; ++turn) {
      const std::size_t owner = (worker + turn) % workers;
      const std::size_t end = pieces * (owner + 1) / workers;
      std::atomic<std::size_t>& next = shares[owner].next;
      for (std::size_t i = next.fetch_add(1); i < end; i = next.fetch_add(1)) piece(i);
    }
  });
}

std::unique_ptr<QueryPanes> CpuBackend::make_panes(const plan::QueryPlan& query, WindowConsumer& consumer) {
  return std::make_unique<CpuPanes>(query, consumer, workers_);
}

}  // namespace cpu

std::unique_ptr<Backend> make_cpu_backend(unsigned threads) {
  return std::make_unique<cpu::CpuBackend>(threads == 0 ? all_cores() : threads);
}

}  // namespace weir::execute
