#include "journal/mapping_guard.hpp"

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>

#include "core/error.hpp"

namespace weir::journal {
namespace {

// What the handler reads: nothing but lock-free atomics.
struct Slot {
  std::atomic<bool> used{false};
  std::atomic<std::uintptr_t> begin{0};  // 0: nothing to guard
  std::atomic<std::size_t> bytes{0};
  std::atomic<bool> broken{false};
};

// A stream has a handful of segments mapped at a time.
constexpr std::size_t kSlots = 4096;
std::array<Slot, kSlots> slots;
struct ::sigaction previous {};

void replace(Slot& slot, std::uintptr_t begin) {
  // A call of the system and no more, as in the handlers of other programs that map what they do not own.
  const int error = errno;
  static_cast<void>(::mmap(reinterpret_cast<void*>(begin), slot.bytes.load(), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  errno = error;
  slot.broken.store(true);
}

void on_bus_error(int /*signal*/, ::siginfo_t* info, void* /*context*/) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (Slot& slot : slots) {
    const std::uintptr_t begin = slot.begin.load();
    if (begin != 0 && address - begin < slot.bytes.load()) {
      replace(slot, begin);
      return;  // the access is made again
    }
  }
  ::sigaction(SIGBUS, &previous, nullptr);  // the access is made again, and somebody else's business
}

void install() {
  struct ::sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &previous);
}

}  // namespace

MappingGuard::MappingGuard(void* memory, std::size_t bytes) {
  static std::once_flag installed;
  std::call_once(installed, install);
  for (slot_ = 0; slot_ < kSlots && slots[slot_].used.exchange(true); ++slot_) {
  }
  if (slot_ == kSlots) {
    throw Error("too many journal segments are open");
  }
  Slot& slot = slots[slot_];
  slot.broken.store(false);
  slot.bytes.store(bytes);
  slot.begin.store(reinterpret_cast<std::uintptr_t>(memory));
}

MappingGuard::~MappingGuard() {
  slots[slot_].begin.store(0);
  slots[slot_].used.store(false);
}

bool MappingGuard::broken() const noexcept {
  return slots[slot_].broken.load(std::memory_order_relaxed);
}

}  // namespace weir::journal
