// `weir inspect`: what a state directory holds, with every checksum verified.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "app/command.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"
#include "core/time_text.hpp"
#include "runtime/engine.hpp"
#include "state/checkpoint_store.hpp"
#include "state/serial.hpp"

namespace weir::app {
namespace {

std::string instant(std::int64_t ns) {
  if (ns == execute::kNoWatermark) {
    return "none";
  }
  std::string text;
  append_rfc3339(text, ns);
  return text;
}

void show_stream(const std::string& bytes) {
  state::Reader in(bytes);
  const runtime::SavedStream saved = runtime::read_saved_stream(in);
  const state::StreamLedger& ledger = saved.ledger;
  fmt::print("      {} received = {} delivered + {} duplicate + {} malformed + {} shed; {}\n", ledger.received,
             ledger.delivered, ledger.duplicate, ledger.malformed_total(), ledger.shed,
             ledger.balances() ? "balances" : "DOES NOT BALANCE");
  fmt::print("      watermark {}, {} keys{}\n", instant(saved.watermark_ns), saved.keys,
             saved.resume.ended ? ", input ended" : "");
  for (const auto& [source, position] : saved.resume.positions) {
    std::string detail = position.detail;
    for (char& c : detail) {
      c = c == '\n' ? ' ' : c;
    }
    fmt::print("      source {}: goes on at {} {}\n", source, position.offset, detail);
  }
}

void show_section(const state::Section& section) {
  fmt::print("    {:<32} {:>11}\n", section.name, bytes_to_string(section.bytes.size()));
  if (section.name.starts_with("stream/")) {
    show_stream(section.bytes);
  } else if (section.name.starts_with("query/")) {
    state::Reader in(section.bytes);
    std::string fingerprint(in.text());
    for (std::size_t at = 0; (at = fingerprint.find('\n', at)) != std::string::npos;) {
      fingerprint.replace(at, 1, "\n      ");
    }
    fmt::print("      {}\n", fingerprint);
  }
}

int inspect(const std::string& directory, bool all) {
  const std::vector<state::CheckpointFile> files = state::list_checkpoints(directory);
  if (files.empty()) {
    fmt::print("{}: no checkpoint\n", directory);
    return kDone;
  }
  bool damaged = false;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const state::CheckpointFile& file = files[i];
    damaged |= !file.damage.empty();
    if (!file.damage.empty()) {
      fmt::print("{}  {}  DAMAGED: {}\n", file.path, bytes_to_string(file.bytes), file.damage);
      continue;
    }
    if (file.only_chunks) {
      fmt::print("{}  {}  kept for the chunks that newer checkpoints refer to\n", file.path,
                 bytes_to_string(file.bytes));
      continue;
    }
    fmt::print("{}  {}  number {}, written {}, checksums good\n", file.path, bytes_to_string(file.bytes),
               file.checkpoint.number, instant(file.checkpoint.written_ns));
    fmt::print("    {} chunks: {} here, {} ({}) in {} older files\n", file.chunks, file.chunks - file.referenced_chunks,
               file.referenced_chunks, bytes_to_string(file.referenced_bytes), file.references.size());
    if (all || i + 1 == files.size()) {
      for (const state::Section& section : file.checkpoint.sections) {
        show_section(section);
      }
    }
  }
  return damaged ? kFailed : kDone;
}

}  // namespace

void add_inspect(CLI::App& app, Context& context) {
  auto directory = std::make_shared<std::string>();
  auto all = std::make_shared<bool>(false);
  CLI::App* const command = app.add_subcommand("inspect", "Show what a state directory holds and verify its checksums");
  command->add_option("STATE_DIR", *directory, "State directory")->required();
  command->add_flag("--all", *all, "Show the sections of every checkpoint, not only of the newest");
  command->callback([directory, all, &context] { context.exit_code = inspect(*directory, *all); });
}

}  // namespace weir::app
