#include "kernels/fibres.hpp"

#include <ucontext.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <vector>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_FIBRES_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WEIR_FIBRES_ASAN 1
#endif
#ifdef WEIR_FIBRES_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace weir::kernels::host {
namespace {

constexpr std::size_t kStackBytes = 128U << 10U;

struct Fibre {
  ucontext_t context{};
  std::unique_ptr<char[]> stack;
  bool done = false;
  void* fake_stack = nullptr;
};

struct Scheduler {
  ucontext_t main{};
  void* fake_stack = nullptr;
  const void* stack = nullptr;
  std::size_t stack_bytes = 0;
  std::vector<Fibre> fibres;
  std::uint32_t current = 0;
  const std::function<void(std::uint32_t)>* body = nullptr;
  std::exception_ptr error;
};

thread_local Scheduler* scheduler = nullptr;

// AddressSanitizer has to know whose stack is in use.
void leaving(void** fake_stack, const void* stack, std::size_t bytes) {
#ifdef WEIR_FIBRES_ASAN
  __sanitizer_start_switch_fiber(fake_stack, stack, bytes);
#else
  static_cast<void>(fake_stack), static_cast<void>(stack), static_cast<void>(bytes);
#endif
}
void arrived(void* fake_stack, const void** from, std::size_t* bytes) {
#ifdef WEIR_FIBRES_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, from, bytes);
#else
  static_cast<void>(fake_stack), static_cast<void>(from), static_cast<void>(bytes);
#endif
}

void enter_fibre() {
  Scheduler& here = *scheduler;
  arrived(nullptr, &here.stack, &here.stack_bytes);
  Fibre& fibre = here.fibres[here.current];
  try {
    (*here.body)(here.current);
  } catch (...) {
    here.error = std::current_exception();
  }
  fibre.done = true;
  leaving(nullptr, here.stack, here.stack_bytes);
  swapcontext(&fibre.context, &here.main);
}

void resume(Scheduler& here, std::uint32_t thread) {
  Fibre& fibre = here.fibres[thread];
  here.current = thread;
  leaving(&here.fake_stack, fibre.stack.get(), kStackBytes);
  swapcontext(&here.main, &fibre.context);
  arrived(here.fake_stack, nullptr, nullptr);
}

}  // namespace

void run_fibres(std::uint32_t threads, const std::function<void(std::uint32_t)>& body) {
  // Stacks are kept: a launch has many blocks.
  static thread_local Scheduler here;
  scheduler = &here;
  here.body = &body;
  here.error = nullptr;
  if (here.fibres.size() < threads) here.fibres.resize(threads);
  for (std::uint32_t thread = 0; thread < threads; ++thread) {
    Fibre& fibre = here.fibres[thread];
    if (fibre.stack == nullptr) fibre.stack = std::make_unique<char[]>(kStackBytes);
    fibre.done = false;
    getcontext(&fibre.context);
    fibre.context.uc_stack.ss_sp = fibre.stack.get();
    fibre.context.uc_stack.ss_size = kStackBytes;
    fibre.context.uc_link = nullptr;
    makecontext(&fibre.context, enter_fibre, 0);
  }
  for (std::uint32_t running = threads; running > 0;) {
    std::uint32_t waiting = 0;
    for (std::uint32_t thread = 0; thread < threads; ++thread) {
      if (here.fibres[thread].done) continue;
      resume(here, thread);
      if (here.error != nullptr) std::rethrow_exception(here.error);
      waiting += here.fibres[thread].done ? 0U : 1U;
    }
    if (waiting != 0 && waiting != threads) throw std::logic_error("some threads of a block left out a barrier");
    running = waiting;
  }
}

void fibre_barrier() {
  Scheduler& here = *scheduler;
  Fibre& fibre = here.fibres[here.current];
  leaving(&fibre.fake_stack, here.stack, here.stack_bytes);
  swapcontext(&fibre.context, &here.main);
  arrived(fibre.fake_stack, &here.stack, &here.stack_bytes);
}

}  // namespace weir::kernels::host
