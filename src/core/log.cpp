#include "core/log.hpp"

#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "core/printable.hpp"
#include "core/secrets.hpp"

namespace weir::log {
namespace {

void write_to_standard_error(Level level, std::string_view line) {
  const std::string text = fmt::format("weir: {}: {}\n", level == Level::warning ? "warning" : "error", shown(line));
  std::fwrite(text.data(), 1, text.size(), stderr);
}

struct State {
  std::atomic<Level> least{Level::warning};
  std::mutex mutex;
  Writer writer = write_to_standard_error;
};

// Never destroyed: threads of a host may say something while it ends.
State& state() {
  static State& kept = *new State;  // NOLINT(cppcoreguidelines-owning-memory)
  return kept;
}

}  // namespace

void set_writer(Writer writer, Level least) {
  State& kept = state();
  const std::scoped_lock lock(kept.mutex);
  kept.writer = std::move(writer);
  kept.least = least;
}

bool wanted(Level level) noexcept {
  return level >= state().least.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view line) noexcept {
  State& kept = state();
  try {
    const std::scoped_lock lock(kept.mutex);
    if (kept.writer && wanted(level)) kept.writer(level, line);
  } catch (...) {  // NOLINT(bugprone-empty-catch): a log that fails is no reason for a run to fail
  }
}

std::string shown(std::string_view line) {
  return printable(without_secrets(line));
}

}  // namespace weir::log
