// `weir inspect`: what a state directory or a journal holds, with every checksum verified.
#include <CLI/CLI.hpp>

#include <memory>
#include <sstream>
#include <string>

#include "app/command.hpp"
#include "app/inspect_journal.hpp"
#include "app/output.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"
#include "core/time_text.hpp"
#include "journal/durable_journal.hpp"
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

void show_stream(std::string_view bytes) {
  state::Reader in(bytes);
  const runtime::SavedStream saved = runtime::read_saved_stream(in);
  const state::StreamLedger& ledger = saved.ledger;
  print_line("      {} received = {} delivered + {} duplicate + {} malformed + {} shed; {}", ledger.received,
             ledger.delivered, ledger.duplicate, ledger.malformed_total(), ledger.shed,
             ledger.balances() ? "balances" : "DOES NOT BALANCE");
  print_line("      watermark {}, {} keys{}", instant(saved.watermark_ns), saved.keys,
             saved.resume.ended ? ", input ended" : "");
  for (const auto& [source, position] : saved.resume.positions) {
    std::string detail = position.detail;
    for (char& c : detail) {
      c = c == '\n' ? ' ' : c;
    }
    print_line("      source {}: goes on at {} {}", source, position.offset, detail);
  }
}

void show_section(const state::Section& section) {
  print_line("    {:<32} {:>11}", section.name, bytes_to_string(section.bytes.size()));
  if (section.name.starts_with("stream/")) {
    show_stream(section.bytes);
  } else if (section.name.starts_with("query/")) {
    state::Reader in(section.bytes);
    std::istringstream fingerprint{std::string(in.text())};
    for (std::string line; std::getline(fingerprint, line);) print_line("      {}", line);
  }
}

bool show_checkpoints(const std::string& directory, bool all) {
  const std::vector<state::CheckpointFile> files = state::list_checkpoints(directory);
  if (files.empty()) {
    print_line("{}: no checkpoint", directory);
    return true;
  }
  bool damaged = false;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const state::CheckpointFile& file = files[i];
    damaged |= !file.damage.empty();
    if (!file.damage.empty()) {
      print_line("{}  {}  DAMAGED: {}", file.path, bytes_to_string(file.bytes), file.damage);
      continue;
    }
    if (file.only_chunks) {
      print_line("{}  {}  kept for the chunks that newer checkpoints refer to", file.path, bytes_to_string(file.bytes));
      continue;
    }
    print_line("{}  {}  number {}, written {}, checksums good", file.path, bytes_to_string(file.bytes),
               file.checkpoint.number, instant(file.checkpoint.written_ns));
    print_line("    {} chunks: {} here, {} ({}) in {} older files", file.chunks, file.chunks - file.referenced_chunks,
               file.referenced_chunks, bytes_to_string(file.referenced_bytes), file.references.size());
    if (all || i + 1 == files.size()) {
      for (const state::Section& section : file.checkpoint.sections) {
        show_section(section);
      }
    }
  }
  return !damaged;
}

int inspect(const std::string& path, bool all, std::uint64_t records) {
  if (journal::is_journal(path)) {
    return show_journal(path, records) ? kDone : kFailed;
  }
  const bool checkpoints = show_checkpoints(path, all);
  const bool journals = show_journals_below(path, records);
  return checkpoints && journals ? kDone : kFailed;
}

}  // namespace

void add_inspect(CLI::App& app, Context& context) {
  auto path = std::make_shared<std::string>();
  auto all = std::make_shared<bool>(false);
  auto records = std::make_shared<std::uint64_t>(0);
  CLI::App* const command =
      app.add_subcommand("inspect", "Show what a state directory or a journal holds and verify its checksums");
  command->add_option("PATH", *path, "State directory, journal directory or journal segment")->required();
  command->add_flag("--all", *all, "Show the sections of every checkpoint, not only of the newest");
  command->add_option("--records", *records, "Print the first N records of each journal")->type_name("N");
  command->callback([path, all, records, &context] { context.exit_code = inspect(*path, *all, *records); });
}

}  // namespace weir::app
