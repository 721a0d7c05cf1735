// `weir bench memory`: what `weir check` calls the worst case, beside the measured peak of a process that fills it.
// Each case runs in a process of its own, which is this program anew: a peak cannot be reset, and one that was forked
// begins with its parent's.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "app/bench.hpp"
#include "app/bench_memory_cases.hpp"
#include "app/command.hpp"
#include "core/error.hpp"
#include "plan/plan.hpp"
#include "runtime/memory_estimate.hpp"
#include "runtime/pipeline.hpp"

namespace weir::app {
namespace {

/// The most that this process has had in memory, in bytes.
std::uint64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) {
      return std::stoull(line.substr(6)) << 10U;
    }
  }
  throw Error("/proc/self/status does not say the peak of memory");
}

/// In a process of its own: standard input has the readings. The answer is one line.
int measure(const MemoryCase& c, bool small) {
  runtime::Options options;
  options.replay = c.replay;
  runtime::Pipeline running(plan::compile(c.pipeline(small)), options);
  const auto mode = c.replay ? runtime::RunMode::replay : runtime::RunMode::run;
  const std::uint64_t planned = runtime::estimate_memory(running.plan(), running.backend(), mode).host_bytes;
  running.start();
  running.wait();
  const runtime::Report report = running.report();
  if (!report.balances() || report.streams.at(0).ledger.delivered == 0) {
    fmt::print(stderr, "weir: bench memory: {}: nothing was delivered, or the ledger does not balance\n", c.name);
    return kFailed;
  }
  fmt::print("{} {}\n", planned, peak_bytes());
  return kDone;
}

/// Writes text to a process; false once it no longer reads.
class Writer final : public TextWriter {
 public:
  explicit Writer(int pipe) : pipe_(pipe) {}
  bool write(std::string_view text) override {
    while (!text.empty()) {
      const ssize_t written = ::write(pipe_, text.data(), text.size());
      if (written < 0 && errno != EINTR) {
        return false;
      }
      text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    return true;
  }

 private:
  int pipe_;
};

std::string read_all(int pipe) {
  std::string text;
  std::array<char, 256> bytes{};
  for (ssize_t got = 0; (got = ::read(pipe, bytes.data(), bytes.size())) != 0;) {
    if (got < 0 && errno != EINTR) {
      break;
    }
    text.append(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  return text;
}

bool run_case(const BenchOptions& options, const MemoryCase& c) {
  std::array<int, 2> data{};
  std::array<int, 2> answer{};
  if (pipe2(data.data(), O_CLOEXEC) != 0 || pipe2(answer.data(), O_CLOEXEC) != 0) {
    throw Error("cannot make a pipe");
  }
  const pid_t child = fork();
  if (child == 0) {
    dup2(data[0], STDIN_FILENO);
    dup2(answer[1], STDOUT_FILENO);
    execl("/proc/self/exe", "weir", "bench", "memory", "--only", c.name, options.small ? "--small" : nullptr, nullptr);
    _exit(127);
  }
  close(data[0]);
  close(answer[1]);
  Writer writer(data[1]);
  c.write(writer, options.small);
  close(data[1]);
  std::uint64_t planned = 0;
  std::uint64_t peak = 0;
  std::istringstream text(read_all(answer[0]));
  close(answer[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
      !(text >> planned >> peak)) {
    fmt::print(stderr, "weir: bench memory: {} failed\n", c.name);
    return false;
  }
  const double ratio = static_cast<double>(planned) / static_cast<double>(peak);
  if (options.json) {
    fmt::print(R"({{"benchmark":"memory","case":"{}","planned_bytes":{},"peak_bytes":{},"ratio":{:.4g}}})"
               "\n",
               c.name, planned, peak, ratio);
  } else {
    fmt::print("memory   {:<32} planned {:>9.1f} MiB   peak {:>9.1f} MiB   planned / peak {:.3f}{}\n", c.name,
               static_cast<double>(planned) / 1048576.0, static_cast<double>(peak) / 1048576.0, ratio,
               ratio < 1 ? "   TOO LITTLE" : "");
  }
  std::fflush(stdout);
  return ratio >= 1;
}

}  // namespace

int bench_memory(const BenchOptions& options) {
  // A process that gave up no longer reads: its exit says why.
  std::signal(SIGPIPE, SIG_IGN);
  bool good = true;
  for (const MemoryCase& c : memory_cases()) {
    if (!options.only.empty()) {
      if (options.only == c.name) {
        return measure(c, options.small);
      }
    } else if (std::string_view(c.name).find(options.case_filter) != std::string_view::npos) {
      good = run_case(options, c) && good;
    }
  }
  return good ? kDone : kFailed;
}

}  // namespace weir::app
