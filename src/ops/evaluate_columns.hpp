// Runs a Program over columns: one instruction at a time over up to 1024 rows, so that each step is a loop which the
// compiler turns into vector code and the registers stay in the nearest caches. Same functors, same bits as evaluate().
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ops/program.hpp"

namespace weir::ops {

/// Rows that one call may cover.
inline constexpr std::uint32_t kColumnRows = 1024;

/// What a program reads; all pointers are to the batch's first row.
struct ColumnInput {
  const std::int64_t* const* fields = nullptr;     ///< [field] → units
  const double* scales = nullptr;                  ///< [field] → 10^places
  const std::uint32_t* keys = nullptr;             ///< key ids
  const std::uint8_t* const* key_tests = nullptr;  ///< [key test] → table by key id
};

/// The registers of one thread; grows to what the largest program needs.
class ColumnRegisters {
 public:
  void reserve(std::size_t registers) {
    if (storage_.size() < registers * kColumnRows) storage_.resize(registers * kColumnRows);
  }
  [[nodiscard]] double* column(std::size_t index) noexcept { return storage_.data() + index * kColumnRows; }
  [[nodiscard]] std::size_t bytes() const noexcept { return storage_.capacity() * sizeof(double); }

 private:
  std::vector<double> storage_;
};

/// @brief The program's result for rows [first, first + rows), rows <= kColumnRows. It lies in `registers`, which must
/// have room for program.registers columns, until the next call. The program is not empty.
const double* evaluate_columns(const Program& program, const ColumnInput& input, std::uint32_t first,
                               std::uint32_t rows, ColumnRegisters& registers);

}  // namespace weir::ops
