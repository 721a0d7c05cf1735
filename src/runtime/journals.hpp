// Where a pipeline's journals lie, and with which settings they are opened.
#pragma once

#include <string>

#include "core/log.hpp"
#include "journal/durable_journal.hpp"
#include "spec/pipeline_spec.hpp"

namespace weir::runtime {

/// @brief "<directory>/journal/<stream>": of a state directory.
inline std::string journal_directory(const std::string& state_dir, const std::string& stream) {
  return state_dir + "/journal/" + stream;
}

inline journal::DurableOptions journal_options(const spec::Pipeline& spec, const spec::Stream& stream,
                                               FileSystem& files = real_file_system()) {
  journal::DurableOptions options;
  options.files = &files;
  options.directory = journal_directory(spec.state_dir, stream.name);
  options.segment_bytes = spec.journal_segment;
  options.memory_bytes = spec.journal_memory;
  options.backlog_bytes = spec.journal_backlog;
  options.sync_each = spec.journal_sync == spec::JournalSync::always;
  options.skip_damage = spec.skip_damage;
  options.notice = [name = stream.name](const std::string& line) { log::warn("stream '{}': {}", name, line); };
  return options;
}

}  // namespace weir::runtime
