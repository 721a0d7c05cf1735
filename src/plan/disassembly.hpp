// Register programs in readable form, one instruction a line, for explain().
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "ops/program.hpp"
#include "plan/plan.hpp"

namespace weir::plan {

struct Disassembly {
  std::string indent;
  std::function<std::string(std::size_t index)> field;     ///< what Op::field stands for
  std::function<std::string(std::size_t index)> key_test;  ///< what Op::key_test stands for
};

/// @brief "r2 = lt r0, r1", one line an instruction, then "result r2".
std::string disassemble(const ops::Program& program, const Disassembly& names);

/// @brief "machine == 'press'". @param key_name index of the key → its name
std::string key_test_text(const KeyTest& test, const std::function<std::string(std::size_t)>& key_name);

}  // namespace weir::plan
