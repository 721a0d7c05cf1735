#include "execute/reading_runner.hpp"

#include <algorithm>

#include "core/decimal.hpp"
#include "ops/units.hpp"

namespace weir::execute {

ReadingRunner::ReadingRunner(const plan::Plan& plan, const plan::QueryPlan& query, const batch::KeyDictionary& keys)
    : query_(&query), keys_(&keys), groups_(query, keys) {
  for (const spec::Field& field : plan.streams[query.stream].spec.schema.fields) {
    scales_.push_back(static_cast<double>(pow10(field.places)));
  }
  registers_.reserve(query.where.registers);
  for (const plan::Argument& argument : query.arguments) {
    argument_scales_.push_back(static_cast<double>(pow10(argument.places)));
    registers_.reserve(argument.program.registers);
  }
  units_.assign(query.arguments.size(), std::vector<std::int64_t>(ops::kColumnRows));
  kept_.resize(ops::kColumnRows);
  texts_.resize(keys.arity());
  values_.resize(query.columns.size());
}

void ReadingRunner::run(const batch::Batch& batch, batch::ResultTable& out) {
  groups_.extend(batch.key_count);
  fields_.clear();
  for (std::size_t i = 0; i < batch.fields(); ++i) {
    fields_.push_back(batch.field(i));
  }
  const ops::ColumnInput input{fields_.data(), scales_.data(), batch.keys(), groups_.view().key_tests.data()};
  for (std::uint32_t first = 0; first < batch.size(); first += ops::kColumnRows) {
    const std::uint32_t rows = std::min(ops::kColumnRows, batch.size() - first);
    std::fill_n(kept_.begin(), rows, std::uint8_t{1});
    if (!query_->where.empty()) {
      const double* const passes = ops::evaluate_columns(query_->where, input, first, rows, registers_);
      std::transform(passes, passes + rows, kept_.begin(), [](double x) { return x == 1.0 ? 1 : 0; });
    }
    for (std::size_t a = 0; a < units_.size(); ++a) {
      const plan::Argument& argument = query_->arguments[a];
      if (argument.field >= 0) {
        std::copy_n(batch.field(static_cast<std::size_t>(argument.field)) + first, rows, units_[a].begin());
      } else {
        const double* const computed = ops::evaluate_columns(argument.program, input, first, rows, registers_);
        const double scale = argument_scales_[a];
        std::transform(computed, computed + rows, units_[a].begin(),
                       [scale](double x) { return ops::double_to_units(x, scale); });
      }
    }
    for (std::uint32_t i = 0; i < rows; ++i) {
      if (kept_[i] == 0) {
        ++ledger_.filtered;
        continue;
      }
      const std::uint32_t row = first + i;
      for (std::size_t key = 0; key < texts_.size(); ++key) {
        texts_[key] = keys_->value(batch.keys()[row], key);
      }
      for (std::size_t column = 0; column < values_.size(); ++column) {
        const std::int64_t units = units_[query_->columns[column]][i];
        values_[column].null = units == kNullUnits;
        values_[column].units = units;
      }
      out.append({batch.times()[row], batch.times()[row], 0, ledger_.rows}, texts_.data(), values_.data());
      ++ledger_.counted;
      ++ledger_.rows;
    }
  }
  ledger_.delivered += batch.size();
}

}  // namespace weir::execute
