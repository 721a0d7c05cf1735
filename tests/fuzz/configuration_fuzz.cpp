// Any bytes as a configuration: they compile, or ConfigError names what is wrong.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/error.hpp"
#include "plan/configuration.hpp"
#include "plan/plan.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const weir::plan::Plan plan = weir::plan::compile(weir::plan::parse_configuration(text, "fuzz.toml"));
    if (plan.queries.empty() || weir::plan::explain(plan).empty()) {
      std::abort();
    }
    for (const weir::plan::QueryPlan& query : plan.queries) {
      if (query.pane_ns <= 0 || query.panes_per_window() < 1 || query.panes_per_window() > 100'000 ||
          query.max_groups == 0 || query.fingerprint().empty()) {
        std::abort();
      }
    }
  } catch (const weir::ConfigError& error) {
    if (error.diagnostics().empty()) {
      std::abort();
    }
  }
  return 0;
}
