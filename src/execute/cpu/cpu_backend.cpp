#include "execute/cpu/cpu_backend.hpp"

#include <unistd.h>

#include <algorithm>
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

MemoryNeed CpuBackend::worst_case(const plan::QueryPlan& query, const Extent& extent) const {
  return CpuPanes::worst_case(query, extent, workers_.threads());
}

void CpuBackend::run_pieces(std::size_t pieces, const std::function<void(std::size_t)>& piece) {
  // As accumulate() divides a batch: a thread finds what it has read here in its caches.
  workers_.run(pieces, [&](unsigned /*worker*/, std::size_t i) { piece(i); });
}

std::unique_ptr<QueryPanes> CpuBackend::make_panes(const plan::QueryPlan& query, WindowConsumer& consumer,
                                                   const Extent& /*extent*/) {
  return std::make_unique<CpuPanes>(query, consumer, workers_, tuning_);
}

}  // namespace cpu

std::unique_ptr<Backend> make_cpu_backend(unsigned threads) {
  return std::make_unique<cpu::CpuBackend>(threads == 0 ? all_cores() : threads);
}

}  // namespace weir::execute
