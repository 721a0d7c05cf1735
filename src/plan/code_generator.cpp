#include "plan/code_generator.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <vector>

namespace weir::plan {
namespace {

using ops::Op;

class Generator {
 public:
  /// @param share compute a value once, however often it is used. Constants are always loaded where they are used: a
  ///        register held for one costs more than loading it.
  Generator(const ValueGraph& graph, int root, bool share)
      : graph_(graph),
        root_(root),
        share_(share),
        uses_(graph.size(), 0),
        need_(graph.size(), 0),
        home_(graph.size(), -1) {}

  std::optional<ops::Program> run() {
    if (!measure() || !emit_all()) {
      return std::nullopt;
    }
    program_.result = static_cast<std::uint8_t>(results_.back());
    return std::move(program_);
  }

 private:
  static constexpr std::uint64_t kHuge = std::numeric_limits<std::uint32_t>::max();

  [[nodiscard]] std::array<int, 3> operands(int id) const { return {graph_[id].a, graph_[id].b, graph_[id].c}; }
  [[nodiscard]] bool shared(int id) const { return share_ && graph_[id].op != Op::constant; }

  /// Counts the uses of what `root` needs, the registers that each value takes by itself (Sethi and Ullman, "The
  /// generation of optimal code for arithmetic expressions", 1970), and refuses what is too long.
  bool measure() {
    std::vector<std::uint64_t> length(graph_.size(), 1);
    std::vector<bool> reachable(graph_.size(), false);
    reachable[static_cast<std::size_t>(root_)] = true;
    for (int id = root_; id >= 0; --id) {  // users before operands
      if (!reachable[static_cast<std::size_t>(id)]) {
        continue;
      }
      for (const int operand : operands(id)) {
        if (operand >= 0) {
          reachable[static_cast<std::size_t>(operand)] = true;
          ++uses_[static_cast<std::size_t>(operand)];
        }
      }
    }
    std::uint64_t instructions = 0;
    for (int id = 0; id <= root_; ++id) {  // operands before users
      const auto at = static_cast<std::size_t>(id);
      if (!reachable[at]) {
        continue;
      }
      std::vector<int> needs;
      for (const int operand : operands(id)) {
        if (operand >= 0) {
          needs.push_back(need_[static_cast<std::size_t>(operand)]);
          length[at] = std::min(kHuge, length[at] + length[static_cast<std::size_t>(operand)]);
        }
      }
      std::sort(needs.rbegin(), needs.rend());
      need_[at] = static_cast<int>(needs.size()) + 1;
      for (std::size_t i = 0; i < needs.size(); ++i) {
        need_[at] = std::max(need_[at], needs[i] + static_cast<int>(i));
      }
      instructions += shared(id) ? 1 : uses_[at];
    }
    return (share_ ? instructions : length[static_cast<std::size_t>(root_)]) <= kMaxInstructions;
  }

  /// Operands that need more registers come first. Iterative: the graph may be as deep as an expression is long.
  bool emit_all() {
    struct Visit {
      int id;
      bool operands_done;
    };
    std::vector<Visit> stack{{root_, false}};
    while (!stack.empty()) {
      const Visit visit = stack.back();
      stack.pop_back();
      if (visit.operands_done) {
        if (!emit(visit.id)) {
          return false;
        }
        continue;
      }
      if (shared(visit.id) && home_[static_cast<std::size_t>(visit.id)] >= 0) {
        results_.push_back(home_[static_cast<std::size_t>(visit.id)]);
        continue;
      }
      stack.push_back({visit.id, true});
      for (const int position : stacking_order(visit.id)) {
        stack.push_back({operands(visit.id)[static_cast<std::size_t>(position)], false});
      }
    }
    return true;
  }

  /// Positions (0: a, 1: b, 2: c) of the operands, the one that is computed last first; equals go from left to right.
  [[nodiscard]] std::vector<int> stacking_order(int id) const {
    const std::array<int, 3> all = operands(id);
    std::vector<int> order;
    for (const int position : {2, 1, 0}) {
      if (all[static_cast<std::size_t>(position)] >= 0) {
        order.push_back(position);
      }
    }
    std::stable_sort(order.begin(), order.end(), [&](int x, int y) {
      return need_[static_cast<std::size_t>(all[static_cast<std::size_t>(x)])] <
             need_[static_cast<std::size_t>(all[static_cast<std::size_t>(y)])];
    });
    return order;
  }

  bool emit(int id) {
    const GraphValue& value = graph_[id];
    const std::vector<int> order = stacking_order(id);
    std::array<int, 3> registers{0, 0, 0};
    for (const int position : order) {
      registers[static_cast<std::size_t>(position)] = results_.back();
      results_.pop_back();
    }
    // Taken before the operands are given back, so that it is none of them.
    const int dst = allocate();
    if (dst < 0 || program_.code.size() == kMaxInstructions) {
      return false;
    }
    for (const int position : order) {
      release(operands(id)[static_cast<std::size_t>(position)], registers[static_cast<std::size_t>(position)]);
    }
    program_.code.push_back(
        {.op = value.op,
         .dst = static_cast<std::uint8_t>(dst),
         .a = static_cast<std::uint8_t>(registers[0]),
         .b = static_cast<std::uint8_t>(registers[1]),
         .c = static_cast<std::uint8_t>(registers[2]),
         .index = value.op == Op::constant ? constant(value.constant) : static_cast<std::uint16_t>(value.index)});
    if (shared(id)) {
      home_[static_cast<std::size_t>(id)] = dst;
    }
    results_.push_back(dst);
    return true;
  }

  std::uint16_t constant(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    auto& constants = program_.constants;
    const auto found = std::find_if(constants.begin(), constants.end(),
                                    [bits](double other) { return std::bit_cast<std::uint64_t>(other) == bits; });
    const auto index = static_cast<std::uint16_t>(found - constants.begin());
    if (found == constants.end()) {
      constants.push_back(value);
    }
    return index;
  }

  int allocate() {
    for (int i = 0; i < ops::kMaxRegisters; ++i) {
      if (!taken_[static_cast<std::size_t>(i)]) {
        taken_[static_cast<std::size_t>(i)] = true;
        program_.registers = std::max(program_.registers, static_cast<std::uint8_t>(i + 1));
        return i;
      }
    }
    return -1;
  }

  void release(int id, int reg) {
    if (shared(id) && --uses_[static_cast<std::size_t>(id)] > 0) {
      return;
    }
    taken_[static_cast<std::size_t>(reg)] = false;
  }

  const ValueGraph& graph_;
  const int root_;
  const bool share_;
  std::vector<std::uint32_t> uses_;  ///< of a shared value: uses that are still to come
  std::vector<int> need_;
  std::vector<int> home_;  ///< register of a shared value that was computed, or -1
  std::vector<int> results_;
  std::array<bool, ops::kMaxRegisters> taken_{};
  ops::Program program_;
};

}  // namespace

std::optional<ops::Program> generate(const ValueGraph& graph, int root) {
  if (std::optional<ops::Program> program = Generator(graph, root, true).run()) {
    return program;
  }
  return Generator(graph, root, false).run();
}

}  // namespace weir::plan
