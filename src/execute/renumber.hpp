// Panes under other group ids: what is left of a query's state when keys of its stream were released.
//
// Works on what save() of any backend writes (pane_codec.hpp), so that no backend has to know of it. Free functions
// without state; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "execute/backend.hpp"
#include "plan/plan.hpp"
#include "state/section_writer.hpp"

namespace weir::execute {

/// @brief All panes, as one text. @throws Error when a device was lost meanwhile
std::string saved_panes(const QueryPanes& panes);

/// @brief Sets the flag of each group that has a reading in some pane. @param saved of saved_panes()
/// @param occupied a flag for each group
void mark_occupied(const plan::QueryPlan& query, std::string_view saved, std::span<std::uint8_t> occupied);

/// @brief Writes the panes again with other ids. @param ids [old group] → new group; kNoGroup only where the group has
/// no reading, no new id twice @throws Error when a group that is not to be there has readings
void renumber_panes(const plan::QueryPlan& query, std::string_view saved, std::span<const std::uint32_t> ids,
                    state::SectionWriter& out);

}  // namespace weir::execute
