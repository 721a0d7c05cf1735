// Pipelines for tests: configurations as text, rows as text.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/pipeline.hpp"

namespace weir::test {

/// A directory that goes when the test ends.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return (directory_ / name).string(); }

 private:
  std::filesystem::path directory_;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& text);

plan::Plan plan_of(const std::string& toml);

/// @brief Replays to the end; every query's rows as JSON lines, in the order of emission.
/// @param journals by the name of the stream that is read from one
std::string replay_rows(const std::string& toml, runtime::Report* report = nullptr,
                        const std::function<void(spec::Pipeline&)>& change = {},
                        const std::map<std::string, std::string>& journals = {});

/// @brief Replays to the end, with `stop_after` > 0 stopped after so many batches and started again, again and again.
/// @param plan made anew for each start @param restarts is increased by them
runtime::Report replay_in_parts(const std::function<plan::Plan()>& plan, std::uint64_t stop_after, int& restarts);

/// @brief Polls until `condition` or the deadline (10 s).
bool eventually(const std::function<bool()>& condition);

}  // namespace weir::test
