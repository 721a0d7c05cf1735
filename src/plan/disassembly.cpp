#include "plan/disassembly.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string_view>

#include "core/decimal.hpp"

namespace weir::plan {
namespace {

struct Mnemonic {
  std::string_view name;
  int operands;
};

// In the order of ops::Op.
constexpr std::array kMnemonics{
    Mnemonic{"field", 0},   Mnemonic{"constant", 0}, Mnemonic{"key_test", 0}, Mnemonic{"neg", 1},   Mnemonic{"abs", 1},
    Mnemonic{"sqrt", 1},    Mnemonic{"floor", 1},    Mnemonic{"ceil", 1},     Mnemonic{"round", 1}, Mnemonic{"not", 1},
    Mnemonic{"is_null", 1}, Mnemonic{"add", 2},      Mnemonic{"sub", 2},      Mnemonic{"mul", 2},   Mnemonic{"div", 2},
    Mnemonic{"mod", 2},     Mnemonic{"min", 2},      Mnemonic{"max", 2},      Mnemonic{"lt", 2},    Mnemonic{"le", 2},
    Mnemonic{"gt", 2},      Mnemonic{"ge", 2},       Mnemonic{"eq", 2},       Mnemonic{"ne", 2},    Mnemonic{"and", 2},
    Mnemonic{"or", 2},      Mnemonic{"select", 3}};
static_assert(kMnemonics.size() == static_cast<std::size_t>(ops::Op::select) + 1);

std::string constant_text(double value) {
  if (!std::isfinite(value)) {
    return std::isnan(value) ? "null" : value > 0 ? "infinity" : "-infinity";
  }
  std::string text;
  append_double(text, value);
  return text;
}

}  // namespace

std::string disassemble(const ops::Program& program, const Disassembly& names) {
  std::string out;
  for (const ops::Instruction& step : program.code) {
    const Mnemonic& mnemonic = kMnemonics[static_cast<std::size_t>(step.op)];
    out += fmt::format("{}r{} = {}", names.indent, step.dst, mnemonic.name);
    switch (step.op) {
      case ops::Op::field:
        out += ' ' + names.field(step.index);
        break;
      case ops::Op::constant:
        out += ' ' + constant_text(program.constants[step.index]);
        break;
      case ops::Op::key_test:
        out += ' ' + names.key_test(step.index);
        break;
      default:
        break;
    }
    const std::array<std::uint8_t, 3> operands{step.a, step.b, step.c};
    for (int i = 0; i < mnemonic.operands; ++i) {
      out += fmt::format("{} r{}", i == 0 ? "" : ",", operands[static_cast<std::size_t>(i)]);
    }
    out += '\n';
  }
  return out + fmt::format("{}result r{}\n", names.indent, program.result);
}

std::string key_test_text(const KeyTest& test, const std::function<std::string(std::size_t)>& key_name) {
  constexpr std::array<std::string_view, 6> kSymbols{"==", "!=", "<", "<=", ">", ">="};
  return fmt::format("{} {} '{}'", key_name(test.key), kSymbols[static_cast<std::size_t>(test.compare)], test.literal);
}

}  // namespace weir::plan
