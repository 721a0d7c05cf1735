#include "runtime/pipeline.hpp"

#include <fmt/format.h>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "core/error.hpp"
#include "core/log.hpp"
#include "runtime/batch_flow.hpp"
#include "runtime/journal_replay.hpp"
#include "runtime/journals.hpp"
#include "runtime/live_stream.hpp"
#include "runtime/memory_estimate.hpp"
#include "runtime/replay_stream.hpp"
#include "sink/dead_letter.hpp"
#include "sink/output_file.hpp"
#include "state/checkpoint_store.hpp"

namespace weir::runtime {
namespace {

// How long a graceful stop waits for a sink whose peer is away.
constexpr std::chrono::seconds kSinkGrace{10};

}  // namespace

struct Pipeline::Impl {
  Impl(plan::Plan the_plan, Options the_options) : plan(std::move(the_plan)), options(std::move(the_options)) {}

  void build();
  std::optional<state::Checkpoint> load();
  void make_streams();
  void begin();
  void run_engine();
  void engine_loop();
  void control();
  void end_streams(bool gracefully);
  void maybe_checkpoint(bool force);
  state::CheckpointDraft draft_checkpoint();
  void write_checkpoint();
  void take_checkpoint_result();
  void require_checkpoint() const;

  plan::Plan plan;
  Options options;
  std::shared_ptr<execute::Backend> backend;
  std::unique_ptr<state::CheckpointStore> store;
  std::unique_ptr<sink::DeadLetters> dead_letters;
  std::unique_ptr<Engine> engine;
  std::vector<std::unique_ptr<BatchPool>> pools;
  BatchQueue queue;
  std::vector<std::unique_ptr<LiveStream>> live;
  std::vector<std::unique_ptr<StreamReplay>> replays;
  bool restored = false;
  std::chrono::steady_clock::time_point next_checkpoint;
  std::string checkpoint_problem;  // of the last one; empty: it was written

  std::mutex mutex;
  std::condition_variable changed;
  bool started = false;
  bool stop_requested = false;
  bool engine_done = false;
  bool over = false;
  std::exception_ptr error;
  std::thread engine_thread;
  std::thread control_thread;
};

Pipeline::Pipeline(plan::Plan plan, Options options)
    : impl_(std::make_unique<Impl>(std::move(plan), std::move(options))) {
  impl_->build();
}

Pipeline::~Pipeline() {
  Impl& impl = *impl_;
  if (impl.control_thread.joinable()) {
    request_stop();
    impl.control_thread.join();
  }
}

void Pipeline::Impl::build() {
  const RunMode mode = options.replay ? RunMode::replay : RunMode::run;
  backend = options.backend;
  if (!backend) {
    std::string why;
    backend = choose_backend(plan, mode, why);
    if (!why.empty()) {
      log::info("{}", why);
    }
  }
  require_memory(plan, estimate_memory(plan, *backend, mode));
  if (!plan.spec.state_dir.empty()) {
    store = std::make_unique<state::CheckpointStore>(plan.spec.state_dir, state::Retention{}, *options.files);
  }
  if (!plan.spec.dead_letter.empty()) {
    dead_letters =
        std::make_unique<sink::DeadLetters>(plan.spec.dead_letter_limit, plan.spec.dead_letter_bytes, *options.files);
  }
  for (spec::Sink& sink : plan.spec.sinks) {
    sink.append = sink.append || !options.replay;
  }
  engine =
      std::make_unique<Engine>(plan, *backend, dead_letters.get(), options.replay_options.journals, *options.files);
}

// Whatever speaks against the start is found before anything that lies on a disk is changed: a refusal leaves all as it
// was. The outputs are cut back to the checkpoint last.
void Pipeline::start() {
  Impl& impl = *impl_;
  const std::optional<state::Checkpoint> checkpoint = impl.load();
  require_known_names(impl.plan, checkpoint ? &*checkpoint : nullptr, impl.options.discard_state);
  if (checkpoint) {
    for (const std::string& note : impl.engine->restore(*checkpoint, impl.options.discard_state)) {
      log::warn("{}", note);
    }
    impl.restored = true;
  }
  impl.require_checkpoint();
  impl.engine->prepare_sinks(checkpoint ? &*checkpoint : nullptr);
  if (impl.dead_letters) {
    sink::OutputFile::require_usable(*impl.options.files, impl.plan.spec.dead_letter, {},
                                     sink::OutputFile::Beginning::overwrite);
  }
  impl.make_streams();
  try {
    impl.begin();
  } catch (...) {
    for (const auto& pool : impl.pools) {
      pool->stop();  // workers that run already wait for batches that nobody will give back
    }
    throw;
  }
  if (impl.restored) {
    log::info("state restored from checkpoint {} in {}", checkpoint->number, impl.plan.spec.state_dir);
  }
  // First, so that it can take down whatever could be started; it waits until that is known.
  impl.control_thread = std::thread([&impl] { impl.control(); });
  bool failed = false;
  try {
    impl.engine_thread = std::thread([&impl] { impl.run_engine(); });
    for (const auto& stream : impl.live) {
      stream->start(LiveStream::Group::receivers);
    }
    for (const auto& stream : impl.replays) {
      stream->start();
    }
  } catch (...) {
    failed = true;
    {
      const std::scoped_lock lock(impl.mutex);
      impl.error = std::current_exception();
      impl.engine_done = true;  // gives up: nothing was promised yet
      impl.changed.notify_all();
    }
    for (const auto& pool : impl.pools) {
      pool->stop();
    }
  }
  {
    const std::scoped_lock lock(impl.mutex);
    impl.started = true;
    impl.changed.notify_all();
  }
  if (failed) {
    wait();
  }
}

std::optional<state::Checkpoint> Pipeline::Impl::load() {
  if (!store) {
    return std::nullopt;
  }
  std::vector<std::string> warnings;
  std::optional<state::Checkpoint> checkpoint = store->load(warnings);
  for (const std::string& warning : warnings) {
    log::warn("{}", warning);
  }
  return checkpoint;
}

void Pipeline::Impl::make_streams() {
  for (std::size_t i = 0; i < plan.streams.size(); ++i) {
    const plan::StreamPlan& stream = plan.streams[i];
    pools.push_back(std::make_unique<BatchPool>(kBatchesPerStream, stream.spec.schema.fields.size(),
                                                plan.spec.batch_rows, backend->column_memory()));
    const StreamFeed::Wiring wiring{i, &plan, &engine->keys(i), pools[i].get(), &queue, dead_letters.get()};
    const auto journal = options.replay_options.journals.find(stream.spec.name);
    if (options.replay && journal != options.replay_options.journals.end()) {
      replays.push_back(
          std::make_unique<JournalReplay>(wiring, engine->resume(i), options.replay_options, journal->second));
    } else if (options.replay) {
      replays.push_back(std::make_unique<ReplayStream>(wiring, engine->resume(i), options.replay_options));
    } else {
      live.push_back(std::make_unique<LiveStream>(wiring, engine->resume(i), *options.files));
      engine->set_next_record(i, live.back()->first_record());
    }
  }
}

void Pipeline::Impl::begin() {
  const auto start = [this](LiveStream::Group group) {
    for (const auto& stream : live) {
      stream->start(group);
    }
  };
  start(LiveStream::Group::waiting);
  // A message that a broker may forget needs a checkpoint that knows how to read the journal, and the first row one to
  // cut the output back to.
  const bool checkpoint_first = store && (!restored || engine->outdates_checkpoint());
  if (checkpoint_first) {
    engine->open_sinks();
    write_checkpoint();
  }
  start(LiveStream::Group::brokers);
  if (dead_letters) {
    dead_letters->open(plan.spec.dead_letter);
  }
  for (const auto& stream : live) {
    stream->begin();
  }
  if (!checkpoint_first) {
    engine->open_sinks();
  }
  next_checkpoint = std::chrono::steady_clock::now() + plan.spec.checkpoint_interval;
}

void Pipeline::request_stop() noexcept {
  const std::scoped_lock lock(impl_->mutex);
  impl_->stop_requested = true;
  impl_->changed.notify_all();
}

bool Pipeline::wait_for(std::chrono::nanoseconds limit) {
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(lock, limit, [this] { return impl_->over; });
}

void Pipeline::wait() {
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait(lock, [this] { return impl_->over; });
  if (impl_->error) {
    std::rethrow_exception(impl_->error);
  }
}

std::vector<std::string> Pipeline::failed_sources() const {
  std::vector<std::string> failures;
  for (const auto& stream : impl_->live) {
    const std::vector<std::string> of_stream = stream->failed_sources();
    failures.insert(failures.end(), of_stream.begin(), of_stream.end());
  }
  return failures;
}

Report Pipeline::report() const {
  return impl_->engine->report();
}
bool Pipeline::restored() const noexcept {
  return impl_->restored;
}
const plan::Plan& Pipeline::plan() const noexcept {
  return impl_->plan;
}
const execute::Backend& Pipeline::backend() const noexcept {
  return *impl_->backend;
}

// The first checkpoint of a stream is written before its first record, so a journal without one has lost it.
void Pipeline::Impl::require_checkpoint() const {
  if (!store || options.replay) {
    return;
  }
  for (std::size_t i = 0; i < plan.streams.size(); ++i) {
    const std::string directory = journal_directory(plan.spec.state_dir, plan.streams[i].spec.name);
    if (!engine->knows(i) && journal::is_journal(directory)) {
      throw Error(
          fmt::format("'{}' holds a journal, but '{}' holds no checkpoint that it follows: put the checkpoints "
                      "back, or move the journal away to begin anew ('weir replay --input' still reads it)",
                      directory, plan.spec.state_dir));
    }
  }
}

// Waits for the end, from outside or inside, and takes the streams down in the way that fits.
void Pipeline::Impl::control() {
  bool gracefully = false;
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return started && (stop_requested || engine_done); });
    gracefully = !error;
  }
  std::thread watchdog;
  if (!gracefully) {
    engine->interrupt();
  } else {
    const auto watch = [this] {
      std::unique_lock lock(mutex);
      if (!changed.wait_for(lock, kSinkGrace, [this] { return engine_done; })) {
        engine->interrupt();
      }
    };
    try {
      watchdog = std::thread(watch);
    } catch (const std::system_error& no_thread) {
      log::warn("cannot start a thread ({}): sinks whose peers are away are not waited for", no_thread.what());
      engine->interrupt();
    }
  }
  end_streams(gracefully);
  {
    std::unique_lock lock(mutex);
    if (error) {
      queue.close();
    }
  }
  if (engine_thread.joinable()) {
    engine_thread.join();
  }
  if (watchdog.joinable()) {
    watchdog.join();
  }
  const std::scoped_lock lock(mutex);
  over = true;
  changed.notify_all();
}

void Pipeline::Impl::end_streams(bool gracefully) {
  for (const auto& stream : replays) {
    stream->request_stop();
  }
  for (const auto& stream : replays) {
    stream->join();
  }
  for (const auto& stream : live) {
    gracefully ? stream->drain() : stream->abandon();
  }
}

void Pipeline::Impl::run_engine() {
  std::exception_ptr failure;
  try {
    engine_loop();
  } catch (const std::exception& thrown) {
    failure = std::current_exception();
    if (options.on_failure) options.on_failure(thrown.what());
  } catch (...) {
    failure = std::current_exception();
    if (options.on_failure) options.on_failure("an exception of no known type");
  }
  const std::scoped_lock lock(mutex);
  if (failure && !error) {
    error = failure;
  }
  for (const auto& pool : pools) {
    pool->stop();
  }
  engine_done = true;
  changed.notify_all();
}

void Pipeline::Impl::engine_loop() {
  std::size_t running = plan.streams.size();
  SealedBatch sealed;
  while (running > 0 && queue.pop(sealed)) {
    if (!sealed.batch) {
      --running;
      const std::exception_ptr failure =
          options.replay ? replays[sealed.stream]->error() : live[sealed.stream]->error();
      if (failure) {
        std::rethrow_exception(failure);
      }
      continue;
    }
    engine->process(sealed.stream, *sealed.batch);
    pools[sealed.stream]->release(std::move(sealed.batch));
    maybe_checkpoint(false);
  }
  if (running == 0) {
    maybe_checkpoint(true);
    engine->close();
  }
  for (const auto& stream : live) {
    if (running == 0 && !stream->gave_up().empty()) {
      throw Error(stream->gave_up());
    }
  }
}

void Pipeline::Impl::maybe_checkpoint(bool force) {
  if (!store) {
    return;
  }
  if (!force) {
    take_checkpoint_result();
  }
  if (!engine->at_boundary() || (!force && (std::chrono::steady_clock::now() < next_checkpoint || store->busy()))) {
    return;
  }
  if (force) {
    write_checkpoint();
  } else {
    store->start_write(draft_checkpoint());
  }
}

state::CheckpointDraft Pipeline::Impl::draft_checkpoint() {
  next_checkpoint = std::chrono::steady_clock::now() + plan.spec.checkpoint_interval;
  state::CheckpointDraft draft = store->draft();
  engine->checkpoint(draft);
  for (std::size_t i = 0; i < plan.streams.size() && !options.replay; ++i) {
    draft.need(plan.streams[i].spec.name, engine->resume(i).feed.next_record);
  }
  return draft;
}

// The first and the last one, which the run waits for.
void Pipeline::Impl::write_checkpoint() {
  for (int attempt = 0; attempt < 2; ++attempt) {
    store->wait();
    take_checkpoint_result();
    store->start_write(draft_checkpoint());
    store->wait();
    take_checkpoint_result();
    // A second attempt is written whole where the first one met damage in an older file.
    if (checkpoint_problem.empty()) {
      return;
    }
  }
  throw Error(checkpoint_problem);
}

// An error of a checkpoint does not end the run: the one before stands, and there are more to come.
void Pipeline::Impl::take_checkpoint_result() {
  const std::optional<state::WriteResult> result = store->poll();
  if (!result) {
    return;
  }
  if (result->rows_at_risk) {
    throw Error(
        fmt::format("{}: rows may be lost; the next start writes them again from the last checkpoint", result->error));
  }
  if (result->number != 0) {
    engine->count_checkpoint();
    for (const auto& [stream, number] : store->needed()) {
      for (std::size_t i = 0; i < live.size(); ++i) {
        if (plan.streams[i].spec.name == stream) {
          live[i]->journal().release_before(number);
        }
      }
    }
    if (!result->error.empty()) {
      log::warn("checkpoint {}: {}", result->number, result->error);
    } else if (!checkpoint_problem.empty()) {
      log::info("checkpoint {} is written: all is well again", result->number);
    }
    checkpoint_problem.clear();
  } else if (result->error != checkpoint_problem) {
    log::error("no checkpoint: {}; the last one stands, the next attempt follows", result->error);
    checkpoint_problem = result->error;
  }
}

}  // namespace weir::runtime
