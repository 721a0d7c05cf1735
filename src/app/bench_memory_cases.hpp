// What `weir bench memory` measures: pipelines, each with readings that fill one part of the estimate.
#pragma once

#include <span>
#include <string_view>

#include "spec/pipeline_spec.hpp"

namespace weir::app {

class TextWriter {
 public:
  virtual ~TextWriter() = default;
  /// @brief False once nobody reads any more.
  virtual bool write(std::string_view text) = 0;
};

struct MemoryCase {
  const char* name;
  bool replay;                                 ///< else the readings go through the journal, as in `weir run`
  spec::Pipeline (*pipeline)(bool small);      ///< reads standard input
  void (*write)(TextWriter& out, bool small);  ///< the readings, in the order of event time
};

std::span<const MemoryCase> memory_cases() noexcept;

}  // namespace weir::app
