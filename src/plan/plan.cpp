#include "plan/plan.hpp"

#include <fmt/format.h>

namespace weir::plan {

bool KeyTest::matches(std::string_view value) const noexcept {
  // char_traits compares as unsigned bytes.
  const int order = value.compare(literal);
  switch (compare) {
    case Compare::eq:
      return order == 0;
    case Compare::ne:
      return order != 0;
    case Compare::lt:
      return order < 0;
    case Compare::le:
      return order <= 0;
    case Compare::gt:
      return order > 0;
    case Compare::ge:
      return order >= 0;
  }
  return false;
}

std::string QueryPlan::fingerprint() const {
  // Each text is preceded by its length, so that no two queries have the same fingerprint.
  std::string text = "weir-query-1";
  const auto add = [&text](std::string_view name, std::string_view value) {
    text += fmt::format("|{} {}:{}", name, value.size(), value);
  };
  add("stream", stream_text);
  add("where", spec.where);
  for (const spec::Let& let : spec.let) {
    add("let", fmt::format("{}={}@{}", let.name, let.expression, let.places));
  }
  for (const std::string& key : spec.group_by) {
    add("group_by", key);
  }
  for (const std::string& entry : spec.select) {
    add("select", entry);
  }
  add("having", spec.having);
  text += fmt::format("|window {}|slide {}|lateness {}|empty {}{}", window_ns, slide_ns, allowed_lateness_ns,
                      spec.emit_empty ? 1 : 0,
                      readings    ? "|readings"
                      : per_batch ? "|per batch"
                                  : "");
  return text;
}

}  // namespace weir::plan
