// The aggregates: their names, what each needs accumulated, and the type of its result.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "batch/result_table.hpp"
#include "plan/plan.hpp"

namespace weir::plan {

std::optional<AggregateKind> aggregate_named(std::string_view name) noexcept;
std::string_view aggregate_name(AggregateKind kind) noexcept;
std::span<const std::string_view> aggregate_names() noexcept;

/// @brief Part bits that the kind needs of its argument, without the count of a nullable one.
std::uint16_t parts_of(AggregateKind kind) noexcept;

/// @brief Exact kinds keep the argument's decimal places; quantile gives a bin's value in the argument's units.
batch::ValueType result_type(AggregateKind kind) noexcept;

}  // namespace weir::plan
