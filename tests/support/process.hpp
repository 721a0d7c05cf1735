// Child processes and polling for tests: a child ends with its object, and with the test program.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace weir::test {

/// @brief Whether `condition` became true before the deadline; asked every few milliseconds.
inline bool eventually(const auto& condition, std::chrono::seconds deadline = std::chrono::seconds(30)) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

class Process {
 public:
  Process() = default;
  /// @param output file that standard output and error go to
  Process(std::vector<std::string> command, const std::string& output) {
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const ::pid_t parent = ::getpid();
    id_ = ::fork();
    if (id_ != 0) return;
    // The parent is the thread that forks: processes belong to the test's main thread.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  Process(Process&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Process& operator=(Process&& other) noexcept {
    stop();
    id_ = std::exchange(other.id_, -1);
    return *this;
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { stop(); }

  [[nodiscard]] ::pid_t id() const noexcept { return id_; }
  /// @brief Waits for its end.
  void wait() noexcept {
    if (id_ > 0) ::waitpid(id_, nullptr, 0);
    id_ = -1;
  }
  /// @brief Ends the process and waits for it.
  void stop(int signal = SIGTERM) noexcept {
    if (id_ <= 0) return;
    ::kill(id_, signal);
    ::waitpid(id_, nullptr, 0);
    id_ = -1;
  }

 private:
  ::pid_t id_ = -1;
};

}  // namespace weir::test
