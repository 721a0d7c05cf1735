#include "execute/cpu/core_section.hpp"
#include "execute/cpu/monoid_section.hpp"
#include "execute/cpu/section.hpp"

namespace weir::execute::cpu {
namespace {

std::unique_ptr<Section> make_core(std::uint16_t parts, int argument, bool nullable, bool first) {
  const bool sum = (parts & plan::kPartSum) != 0;
  const bool extremes = (parts & plan::kPartMinMax) != 0;
  if (sum && extremes) return std::make_unique<CoreSection<true, true>>(argument, nullable, first);
  if (sum) return std::make_unique<CoreSection<true, false>>(argument, nullable, first);
  if (extremes) return std::make_unique<CoreSection<false, true>>(argument, nullable, first);
  return std::make_unique<CoreSection<false, false>>(argument, nullable, first);
}

}  // namespace

ArgumentTotal empty_total() noexcept {
  ArgumentTotal total;
  total.min = ops::Extremes{}.min;
  total.max = ops::Extremes{}.max();
  total.first_time = ops::FirstValue{}.time;
  total.first_value = ops::FirstValue{}.value;
  total.last_time = ops::LastValue{}.time;
  total.last_value = ops::LastValue{}.value;
  return total;
}

std::vector<std::unique_ptr<Section>> make_sections(const plan::QueryPlan& query) {
  std::vector<std::unique_ptr<Section>> sections;
  if (query.arguments.empty()) sections.push_back(make_core(0, -1, false, true));
  for (std::size_t a = 0; a < query.arguments.size(); ++a) {
    const plan::Argument& argument = query.arguments[a];
    sections.push_back(make_core(argument.parts, static_cast<int>(a), argument.nullable, a == 0));
    if (a == 0 && argument.nullable) sections.push_back(std::make_unique<MonoidSection<NullCount>>(a, true));
    if ((argument.parts & plan::kPartSquares) != 0) {
      sections.push_back(std::make_unique<MonoidSection<Squares>>(a, argument.nullable));
    }
    if ((argument.parts & plan::kPartFirst) != 0) {
      sections.push_back(std::make_unique<MonoidSection<First>>(a, argument.nullable));
    }
    if ((argument.parts & plan::kPartLast) != 0) {
      sections.push_back(std::make_unique<MonoidSection<Last>>(a, argument.nullable));
    }
  }
  return sections;
}

}  // namespace weir::execute::cpu
