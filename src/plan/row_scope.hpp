// What names mean for one reading: fields, keys and lets. Used for `where` and for the arguments of aggregates.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plan/type_check.hpp"
#include "spec/pipeline_spec.hpp"

namespace weir::plan {

/// Lets may use each other in any order; each is compiled once, into the query's graph.
class RowScope final : public Scope {
 public:
  /// All references must outlive the scope. @param what "query 'q'"
  RowScope(const spec::Schema& schema, const spec::Query& query, ValueGraph& graph, std::vector<KeyTest>& key_tests,
           Diagnostics& diagnostics, const std::string& what);

  Operand name(const std::string& name, std::size_t column, const Site& site) override;
  Operand aggregate(const Expression& expression, int node, const Site& site) override;

  /// @brief Compiles the lets that nothing uses too, so that their mistakes are reported.
  void check_all_lets();

  /// @brief What an aggregate is told where it stands: in `where`, in a let, in another aggregate.
  void aggregates_are_refused_because(std::string reason, std::string suggestion);

  /// @brief A name that is not found is no mistake: what declares it could not be read.
  void some_names_are_unread() noexcept { unread_names_ = true; }
  [[nodiscard]] bool has_unread_names() const noexcept { return unread_names_; }

  [[nodiscard]] const spec::Let* let(std::string_view name) const;
  [[nodiscard]] const spec::Schema& schema() const noexcept { return schema_; }
  /// @brief Every name that may stand here, for suggestions.
  [[nodiscard]] std::vector<std::string_view> names() const;

 private:
  enum class State : std::uint8_t { untouched, active, done };
  struct Entry {
    const spec::Let* let;
    State state = State::untouched;
    Operand operand;
  };
  Operand resolve(std::size_t index);
  void report_cycle(std::size_t index);

  const spec::Schema& schema_;
  ValueGraph& graph_;
  std::vector<KeyTest>& key_tests_;
  Diagnostics& diagnostics_;
  std::string what_;
  int query_line_;
  std::vector<Entry> lets_;
  std::vector<std::size_t> active_;  ///< lets being compiled, outermost first
  bool unread_names_ = false;
  std::string refusal_;
  std::string refusal_suggestion_;
};

}  // namespace weir::plan
