#include "execute/cuda/cell_layout.hpp"

#include <algorithm>
#include <array>

namespace weir::execute::cuda {
namespace {

using kernels::PartKind;
using kernels::Word;

struct Wanted {
  std::uint16_t part;
  std::array<PartKind, 2> kinds;
  std::size_t count;
};

// quantile() has no words in a cell: its bins are codes (code_store.hpp).
constexpr std::array<Wanted, 5> kWanted{{{plan::kPartSum, {PartKind::sum, PartKind::sum}, 1},
                                         {plan::kPartSquares, {PartKind::squares, PartKind::squares}, 1},
                                         {plan::kPartMinMax, {PartKind::min, PartKind::max}, 2},
                                         {plan::kPartFirst, {PartKind::first, PartKind::first}, 1},
                                         {plan::kPartLast, {PartKind::last, PartKind::last}, 1}}};

}  // namespace

CellLayout::CellLayout(const plan::QueryPlan& query) {
  const auto add = [this](PartKind kind, std::size_t argument) {
    kernels::Part part;
    part.kind = kind;
    part.argument = static_cast<std::uint16_t>(argument);
    part.word = static_cast<std::uint16_t>(words_);
    words_ += kernels::words_of(kind);
    if (!kernels::invertible(kind)) {
      part.front = static_cast<std::uint16_t>(front_words_);
      front_words_ += kernels::words_of(kind);
    }
    pairs_ = pairs_ || kind == PartKind::first || kind == PartKind::last;
    parts_.push_back(part);
  };
  add(PartKind::rows, 0);
  for (std::size_t a = 0; a < query.arguments.size(); ++a) {
    const plan::Argument& argument = query.arguments[a];
    first_.push_back(static_cast<std::uint32_t>(parts_.size()));
    counted_.push_back(argument.nullable || argument.field < 0);
    if (counted_.back()) add(PartKind::count, a);
    for (const Wanted& wanted : kWanted) {
      if ((argument.parts & wanted.part) == 0) continue;
      for (std::size_t i = 0; i < wanted.count; ++i) add(wanted.kinds[i], a);
    }
  }
  first_.push_back(static_cast<std::uint32_t>(parts_.size()));
}

std::uint16_t CellLayout::word_of(std::size_t a, PartKind kind) const noexcept {
  const auto begin = parts_.begin() + first_[a];
  const auto end = parts_.begin() + first_[a + 1];
  return std::find_if(begin, end, [kind](const kernels::Part& part) { return part.kind == kind; })->word;
}

void CellLayout::read(const Word* cell, ArgumentTotal* totals) const noexcept {
  for (std::size_t a = 0; a < counted_.size(); ++a) {
    ArgumentTotal& total = totals[a];
    total = {};
    total.count = cell[count_word(a)];
    if (total.count == 0) continue;
    for (std::uint32_t p = first_[a]; p < first_[a + 1]; ++p) {
      const Word* const words = cell + parts_[p].word;
      switch (parts_[p].kind) {
        case PartKind::sum:
          total.sum = static_cast<Int128>((static_cast<UInt128>(words[1]) << 64U) | words[0]);
          break;
        case PartKind::squares:
          total.squares = {{words[0], words[1], words[2]}};
          break;
        case PartKind::min:
          total.min = kernels::as_signed(words[0]);
          break;
        case PartKind::max:
          total.max = kernels::as_signed(words[0]);
          break;
        case PartKind::first:
          total.first_time = kernels::as_signed(words[0]);
          total.first_value = kernels::as_signed(words[1]);
          break;
        case PartKind::last:
          total.last_time = kernels::as_signed(words[0]);
          total.last_value = kernels::as_signed(words[1]);
          break;
        default:
          break;
      }
    }
  }
}

void CellLayout::clear(Word* cell) const noexcept {
  for (const kernels::Part& part : parts_) {
    kernels::store_part(cell + part.word, kernels::empty_part(part.kind), part.kind);
  }
}

void CellLayout::write(const PaneGroup& group, Word* cell) const noexcept {
  clear(cell);
  cell[0] = group.rows;
  for (std::size_t a = 0; a < counted_.size(); ++a) {
    const ArgumentTotal& total = group.arguments[a];
    if (total.count == 0) continue;
    for (std::uint32_t p = first_[a]; p < first_[a + 1]; ++p) {
      Word* const words = cell + parts_[p].word;
      switch (parts_[p].kind) {
        case PartKind::count:
          words[0] = total.count;
          break;
        case PartKind::sum:
          words[0] = static_cast<Word>(static_cast<UInt128>(total.sum));
          words[1] = static_cast<Word>(static_cast<UInt128>(total.sum) >> 64U);
          break;
        case PartKind::squares:
          for (std::size_t i = 0; i < 3; ++i) words[i] = total.squares.limb[i];
          break;
        case PartKind::min:
          words[0] = kernels::as_word(total.min);
          break;
        case PartKind::max:
          words[0] = kernels::as_word(total.max);
          break;
        case PartKind::first:
          words[0] = words[2] = kernels::as_word(total.first_time);
          words[1] = kernels::as_word(total.first_value);
          break;
        case PartKind::last:
          words[0] = words[2] = kernels::as_word(total.last_time);
          words[1] = kernels::as_word(total.last_value);
          break;
        case PartKind::rows:
          break;
      }
    }
  }
}

}  // namespace weir::execute::cuda
