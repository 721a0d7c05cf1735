#include "execute/reading_runner.hpp"

#include <algorithm>

#include "core/decimal.hpp"
#include "ops/units.hpp"

namespace weir::execute {

ReadingRunner::ReadingRunner(const plan::QueryPlan& query, const batch::KeyDictionary& keys)
    : query_(&query), keys_(&keys), groups_(query, keys) {
  for (const spec::Field& field : query.input.schema.fields) {
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

/// The watermark that a reading lifts stands before its row, as it does before the reading: every rise is marked, also
/// by readings that do not pass.
void ReadingRunner::mark_until(std::uint32_t row, const WatermarkTrace& trace, batch::ResultTable& out) {
  while (next_rise_ <= row) {
    const std::int64_t watermark = trace.passing(watermark_ + 1, next_rise_);
    out.mark(watermark);
    watermark_ = watermark;
    find_rise(trace, next_rise_);
  }
}

void ReadingRunner::find_rise(const WatermarkTrace& trace, std::uint32_t from) {
  next_rise_ = watermark_ == kLatest ? trace.size() + 1 : trace.reach(watermark_ + 1, from);
  if (next_rise_ > trace.size()) next_rise_ = kNoRow;
}

void ReadingRunner::run(const batch::Batch& batch, const WatermarkTrace& trace, batch::ResultTable& out,
                        std::uint64_t& windows_closed, std::vector<std::uint32_t>& /*late_rows*/) {
  const bool marks = !query_->readers.empty();
  next_rise_ = kNoRow;
  if (marks) {
    if (const auto& beginning = trace.new_beginning()) {
      out.marks.push_back({out.size(), beginning->watermark, true, beginning->clock});
      watermark_ = beginning->watermark;
    }
    find_rise(trace, 0);
  }
  windows_closed += batch.interval_ends.size();
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
      if (next_rise_ <= first + i) [[unlikely]] {
        mark_until(first + i, trace, out);
      }
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
      // Rows of windows keep the window that they are of.
      const std::int64_t end = batch.times()[row] + (query_->row_window_ns != 0 ? 1 : 0);
      out.append({end - query_->row_window_ns, end, 0, ledger_.rows}, texts_.data(), values_.data());
      ++ledger_.counted;
      ++ledger_.rows;
    }
  }
  mark_until(batch.size(), trace, out);
  ledger_.delivered += batch.size();
}

void ReadingRunner::save(state::SectionWriter& section) const {
  ledger_.save(section.out());
  section.out().i64(watermark_);
}

void ReadingRunner::load(state::Reader& in) {
  ledger_.load(in);
  // Before queries could be read by others, it was not there, and no one needs it then.
  watermark_ = in.at_end() ? kNoWatermark : in.i64();
}

}  // namespace weir::execute
