// The engine's part in a checkpoint, and what a start takes from one.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "core/error.hpp"
#include "runtime/engine.hpp"
#include "state/saved_keys.hpp"

namespace weir::runtime {
namespace {

// 1 has no journal, 2 does not tell what it belongs to, 3 not when keys were heard.
constexpr std::uint32_t kStreamSectionVersion = 4;
constexpr std::uint32_t kFirstWithAges = 4;

// Of the table of remembered readings; in 1 they have no numbers.
constexpr std::uint8_t kDedupeFormat = 2;

// For state of versions that did not tell what it belongs to.
std::string schema_fingerprint(const spec::Stream& stream) {
  std::string text = stream.name + "\nkeys";
  for (const spec::Key& key : stream.schema.keys) {
    text += " " + key.name;
  }
  text += "\nfields";
  for (const spec::Field& field : stream.schema.fields) {
    text += fmt::format(" {}:{}", field.name, field.places);
  }
  text += fmt::format("\nout_of_order {}\nsources {}", stream.out_of_order.count(), stream.sources.size());
  return text;
}

void save_feed(const batch::FeedState& feed, state::Writer& out) {
  out.u64(feed.next_record);
  out.i64(feed.clock_ns);
  out.u64(feed.sources.size());
  for (const batch::FeedState::Source& source : feed.sources) {
    out.i64(source.last_arrival_ns);
    out.u8(source.idle ? 1 : 0);
    out.u8(source.finished ? 1 : 0);
    out.text(source.decoder);
  }
}

batch::FeedState read_feed(state::Reader& in) {
  batch::FeedState feed;
  feed.next_record = in.u64();
  feed.clock_ns = in.i64();
  for (std::uint64_t left = in.count(1); left > 0; --left) {
    batch::FeedState::Source& source = feed.sources.emplace_back();
    source.last_arrival_ns = in.i64();
    source.idle = in.u8() != 0;
    source.finished = in.u8() != 0;
    source.decoder = in.text();
  }
  return feed;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The names of the checkpoint's sections of a kind: "stream/", "query/", "sink/".
std::vector<std::string> names_of(const state::Checkpoint& checkpoint, std::string_view kind) {
  std::vector<std::string> names;
  for (const state::Section& section : checkpoint.sections) {
    if (section.name.starts_with(kind)) {
      names.push_back(section.name.substr(kind.size()));
    }
  }
  return names;
}

}  // namespace

struct Engine::Restoring {
  std::vector<std::string> discard;
  std::vector<Diagnostic> refused;
  std::vector<std::string> notes;
  std::vector<std::string> refused_streams;
  std::vector<std::string> refused_queries;
};

void Engine::save_stream(std::size_t index, state::SectionWriter& section) const {
  const Stream& stream = *streams_[index];
  state::Writer& out = section.out();
  out.u32(kStreamSectionVersion);
  out.text(schema_fingerprint(plan_.streams[index].spec));
  stream.ledger.save(out);
  out.i64(stream.tracker->watermark());
  out.i64(stream.resume.interval_end_ns);
  out.i64(stream.resume.newest_arrival_ns);
  out.u8(stream.resume.ended ? 1 : 0);
  out.u64(stream.resume.positions.size());
  for (const auto& [source, position] : stream.resume.positions) {
    out.u32(source);
    out.u64(position.offset);
    out.text(position.detail);
  }
  save_feed(stream.resume.feed, out);
  save_identity(stream.identity, out);
  // Ids above key_count were given to readings that the engine has not seen; they are given again, in the same order.
  out.u32(stream.key_count);
  section.set_generation(stream.key_generation);
  state::save_keys(*stream.keys, stream.key_count, section);
  section.set_generation(0);
  stream.tracker->save(out);
  out.u8(stream.dedupe ? kDedupeFormat : 0);
  if (stream.dedupe) {
    stream.dedupe->save(section);
  }
  out.u64(stream.key_generation);
  out.u8(stream.ages ? 1 : 0);
  if (stream.ages) {
    out.i64(stream.resume.key_clock_ns);
    out.i64(stream.resume.next_key_release_ns);
    stream.ages->save(out);
  }
}

SavedStream read_saved_stream(state::Reader& in) {
  SavedStream saved;
  const std::uint32_t version = saved.version = in.u32();
  if (version < 1 || version > kStreamSectionVersion) {
    throw Error(fmt::format("the state of a stream has version {}, this program reads up to {}", version,
                            kStreamSectionVersion));
  }
  saved.fingerprint = in.text();
  saved.ledger.load(in);
  saved.watermark_ns = in.i64();
  saved.resume.interval_end_ns = in.i64();
  saved.resume.newest_arrival_ns = in.i64();
  saved.resume.ended = in.u8() != 0;
  for (std::uint64_t left = in.u64(); left > 0; --left) {
    const std::uint32_t source = in.u32();
    const std::uint64_t offset = in.u64();
    saved.resume.positions.emplace_back(source, batch::SourcePosition{offset, std::string(in.text())});
  }
  if (version >= 2) {
    saved.resume.feed = read_feed(in);
  }
  if (version >= 3) {
    saved.identity = read_identity(in);
  }
  saved.keys = in.u32();
  return saved;
}

void Engine::checkpoint(state::CheckpointDraft& draft) {
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    save_stream(i, draft.section("stream/" + plan_.streams[i].spec.name));
  }
  for (std::size_t i = 0; i < queries_.size(); ++i) {
    state::SectionWriter& section = draft.section("query/" + plan_.queries[i].spec.name);
    section.out().text(plan_.queries[i].fingerprint());
    queries_[i].runs->save(section);
    if (queries_[i].rows) {
      queries_[i].rows->save(draft.section("rows of/" + plan_.queries[i].spec.name));
    }
  }
  std::vector<FileToSync> to_sync;
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    const std::string position = sinks_[i]->checkpoint(to_sync);
    draft.section("sink/" + plan_.spec.sinks[i].name).out().raw(position.data(), position.size());
    sink_ledgers_[i].save(draft.section("rows/" + plan_.spec.sinks[i].name).out());
  }
  draft.sync(std::move(to_sync));
}

void require_known_names(const plan::Plan& plan, const state::Checkpoint* checkpoint,
                         const std::vector<std::string>& discard) {
  std::vector<std::string> known;
  for (const plan::QueryPlan& query : plan.queries) {
    known.push_back(query.spec.name);
  }
  for (const plan::StreamPlan& stream : plan.streams) {
    known.push_back(stream.spec.name);
  }
  for (const char* const kind : {"query/", "stream/"}) {
    if (checkpoint != nullptr) {
      const std::vector<std::string> saved = names_of(*checkpoint, kind);
      std::copy_if(saved.begin(), saved.end(), std::back_inserter(known),
                   [&known](const std::string& name) { return !contains(known, name); });
    }
  }
  for (const std::string& name : discard) {
    if (!contains(known, name)) {
      throw ConfigError(fmt::format("--discard-state {}: there is no query or stream of that name", name),
                        fmt::format("there are {}", fmt::join(known, ", ")));
    }
  }
}

StateOutlook look_at_state(const plan::Plan& plan, execute::Backend& backend) {
  StateOutlook outlook;
  std::error_code ignored;
  if (plan.spec.state_dir.empty() || !std::filesystem::is_directory(plan.spec.state_dir, ignored)) {
    return outlook;
  }
  const std::vector<state::CheckpointFile> files = state::list_checkpoints(plan.spec.state_dir);
  const auto newest = std::find_if(files.rbegin(), files.rend(), [](const state::CheckpointFile& file) {
    return file.damage.empty() && !file.only_chunks;
  });
  if (newest != files.rend()) {
    outlook.checkpoint = newest->checkpoint.number;
    outlook.notes = Engine(plan, backend, nullptr).restore(newest->checkpoint, {});
  }
  return outlook;
}

std::vector<std::string> Engine::restore(const state::Checkpoint& checkpoint, const std::vector<std::string>& discard) {
  Restoring restoring{discard, {}, {}, {}, {}};
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    restore_stream(i, checkpoint, restoring);
  }
  for (const std::size_t query : plan_.order) {
    restore_query(query, checkpoint, restoring);
  }
  look_for_removed(checkpoint, restoring);
  if (!restoring.refused.empty()) {
    throw ConfigError(std::move(restoring.refused));
  }
  return std::move(restoring.notes);
}

void Engine::restore_stream(std::size_t index, const state::Checkpoint& checkpoint, Restoring& restoring) {
  Stream& stream = *streams_[index];
  const std::string& name = plan_.streams[index].spec.name;
  const std::optional<std::string_view> bytes = checkpoint.find("stream/" + name);
  if (!bytes) {
    outdates_checkpoint_ = true;
    restoring.notes.push_back(fmt::format("stream '{}' is not in the saved state: it begins anew", name));
    return;
  }
  stream.known = true;
  state::Reader in(*bytes);
  SavedStream saved = read_saved_stream(in);
  if (contains(restoring.discard, name)) {
    outdates_checkpoint_ = true;
    stream.resume.discarded_at = saved.resume.feed.next_record;
    restoring.notes.push_back(fmt::format(
        "stream '{}' begins anew, its sources at their beginning, and so do its queries: their windows that "
        "are open are given up (--discard-state)",
        name));
    return;
  }
  load_stream(index, in, std::move(saved), restoring);
}

void Engine::load_stream(std::size_t index, state::Reader& in, SavedStream saved, Restoring& restoring) {
  Stream& stream = *streams_[index];
  const spec::Stream& spec = plan_.streams[index].spec;
  const auto refuse = [&](std::string what, std::string hint) {
    restoring.refused.push_back({plan_.spec.file, spec.line, std::move(what), std::move(hint)});
    restoring.refused_streams.push_back(spec.name);
  };
  const std::string undo = fmt::format(
      "undo the change, or start with --discard-state {}, which begins the stream and its queries anew", spec.name);
  IdentityChanges changes;
  if (saved.identity) {
    changes = compare(spec.name, *saved.identity, stream.identity);
  }
  for (const std::string& change : changes.refused) {
    refuse(change + " since its state was saved", undo);
  }
  if (changes.refused.empty() && saved.fingerprint != schema_fingerprint(spec)) {
    refuse(fmt::format("stream '{}' changed its keys, fields, sources or out_of_order since its state was saved",
                       spec.name),
           undo);
  }
  if (!restoring.refused.empty()) {
    return;
  }
  for (const std::string& change : changes.harmless) {
    restoring.notes.push_back(change + ": the stream goes on");
  }
  for (const std::string& change : changes.unread) {
    restoring.notes.push_back(change + ": the stream goes on, and what comes from now on is read in the new way");
  }
  outdates_checkpoint_ |= !changes.none();
  stream.ledger = saved.ledger;
  stream.resume = std::move(saved.resume);
  stream.resume.changes = std::move(changes.unread);
  for (const std::size_t source : changes.reset) {
    if (source < stream.resume.feed.sources.size()) {
      stream.resume.feed.sources[source].decoder.clear();
    }
  }
  stream.key_count = saved.keys;
  std::size_t longest = 0;
  if (!state::load_keys(in, stream.key_count, *stream.keys, longest)) {
    refuse(fmt::format("the state of stream '{}' holds {} key tuples, more than max_keys = {}", spec.name,
                       stream.key_count, spec.max_keys),
           "raise max_keys");
    return;
  }
  if (longest > spec.max_key_bytes) {
    refuse(fmt::format("the state of stream '{}' holds a key of {} bytes, more than max_key_bytes = {}", spec.name,
                       longest, spec.max_key_bytes),
           fmt::format("set max_key_bytes = {}", longest));
    return;
  }
  stream.tracker->load(in);
  stream.resume.newest_time_ns = stream.tracker->newest();
  if (const unsigned format = in.u8(); format != 0) {
    Dedupe saved_dedupe(-1, spec.max_remembered);
    (stream.dedupe ? *stream.dedupe : saved_dedupe).load(in, format >= kDedupeFormat);
  }
  load_ages(stream, in, saved.version);
  Report::Stream& published = report_.streams[index];
  published.ledger = stream.ledger;
  published.keys = stream.key_count;
  published.watermark_ns = stream.tracker->watermark();
}

void Engine::load_ages(Stream& stream, state::Reader& in, std::uint32_t version) {
  stream.resume.key_clock_ns = stream.tracker->newest();
  if (stream.ages) {
    stream.ages->assume(stream.key_count, stream.tracker->newest());
  }
  if (version < kFirstWithAges) {
    return;
  }
  stream.key_generation = in.u64();
  if (in.u8() != 0) {
    const std::int64_t clock = in.i64();
    const std::int64_t next = in.i64();
    KeyAges unused(0);
    (stream.ages ? *stream.ages : unused).load(in, stream.key_count);
    if (stream.ages) {
      stream.resume.key_clock_ns = clock;
      stream.resume.next_key_release_ns = next;
    }
  }
}

void Engine::restore_query(std::size_t index, const state::Checkpoint& checkpoint, Restoring& restoring) {
  const plan::QueryPlan& query = plan_.queries[index];
  const std::string& name = query.spec.name;
  const std::optional<std::string_view> bytes = checkpoint.find("query/" + name);
  if (!bytes) {
    return;
  }
  const Stream& stream = *streams_[query.stream];
  if (contains(restoring.refused_streams, plan_.streams[query.stream].spec.name)) {
    return;  // one reason is enough
  }
  // Without its parent's state the keys that it knows mean nothing.
  const std::string parent = query.parent ? plan_.queries[*query.parent].spec.name : std::string();
  const bool parent_anew = query.parent && contains(without_state_, parent);
  const bool discarded = contains(restoring.discard, name) || parent_anew;
  state::Reader in(*bytes);
  const bool changed = in.text() != query.fingerprint();
  if (discarded || stream.resume.discarded_at || (!stream.known && !changed)) {
    outdates_checkpoint_ = true;
    without_state_.push_back(name);
    if (discarded) {
      restoring.notes.push_back(
          fmt::format("query '{}' begins anew: its windows that are open are given up, its rows stay ({})", name,
                      parent_anew ? fmt::format("as query '{}' does, whose rows it reads", parent)
                                  : std::string("--discard-state")));
    }
    return;
  }
  if (changed && query.parent && contains(restoring.refused_queries, parent)) {
    restoring.refused_queries.push_back(name);  // one reason is enough
    return;
  }
  if (changed) {
    restoring.refused_queries.push_back(name);
    restoring.refused.push_back({plan_.spec.file, query.spec.line,
                                 fmt::format("query '{}' changed since its state was saved", name),
                                 fmt::format("undo the change, or start with --discard-state {}, which begins the "
                                             "query anew without its open windows",
                                             name)});
  }
  if (!restoring.refused.empty()) {
    return;
  }
  queries_[index].runs->load(in);
  report_.queries[index].ledger = queries_[index].runs->ledger();
  if (const auto rows = checkpoint.find("rows of/" + name); rows && queries_[index].rows) {
    state::Reader rows_in(*rows);
    queries_[index].rows->load(rows_in);
  }
}

/// What the checkpoint has and the configuration has not: the next checkpoint will not have it either.
void Engine::look_for_removed(const state::Checkpoint& checkpoint, Restoring& restoring) {
  const auto removed = [](const std::vector<std::string>& saved, const auto& present) {
    std::vector<std::string> names;
    std::copy_if(saved.begin(), saved.end(), std::back_inserter(names), [&present](const std::string& name) {
      return std::none_of(present.begin(), present.end(), [&name](const auto& one) { return one.name == name; });
    });
    return names;
  };
  for (const std::string& name : removed(names_of(checkpoint, "stream/"), plan_.spec.streams)) {
    if (contains(restoring.discard, name)) {
      restoring.notes.push_back(fmt::format("the state of stream '{}' is given up (--discard-state)", name));
    } else {
      restoring.refused.push_back(
          {plan_.spec.file, 0,
           fmt::format("the saved state is also of stream '{}', which is not in the configuration any more", name),
           fmt::format("put it back, or start with --discard-state {}, which gives its state up", name)});
    }
  }
  for (const std::string& name : removed(names_of(checkpoint, "query/"), plan_.spec.queries)) {
    without_state_.push_back(name);
    restoring.notes.push_back(fmt::format(
        "query '{}' is not in the configuration any more: its windows that are open are given up, its rows stay",
        name));
  }
  for (const std::string& name : removed(names_of(checkpoint, "sink/"), plan_.spec.sinks)) {
    restoring.notes.push_back(fmt::format(
        "sink '{}' is not in the configuration any more: its files stay as they are, and rows that it had still to "
        "deliver are given up",
        name));
  }
}

void Engine::prepare_sinks(const state::Checkpoint* checkpoint) {
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    for (const std::string& query : without_state_) {
      sinks_[i]->keep_rows(query);
    }
    const auto position = checkpoint == nullptr ? std::nullopt : checkpoint->find("sink/" + plan_.spec.sinks[i].name);
    if (position) {
      sinks_[i]->resume(std::string(*position));
    }
    const auto rows = checkpoint == nullptr ? std::nullopt : checkpoint->find("rows/" + plan_.spec.sinks[i].name);
    if (rows) {
      state::Reader in(*rows);
      sink_ledgers_[i].load(in);
    }
    sinks_[i]->prepare(shapes_of(i));
  }
}

}  // namespace weir::runtime
