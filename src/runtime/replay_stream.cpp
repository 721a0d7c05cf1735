#include "runtime/replay_stream.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "core/error.hpp"
#include "core/instant.hpp"

namespace weir::runtime {
namespace {

constexpr std::int64_t kBeforeAll = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

// In a merge a checkpoint can fall between two readings of a message, so the position names the message and how many of
// its readings were taken: "<rows>\n<detail of the source>".
std::string with_rows(std::uint64_t rows, std::string_view detail) {
  return std::to_string(rows) + "\n" + std::string(detail);
}

std::uint64_t take_rows(batch::SourcePosition& position) {
  const std::size_t end = position.detail.find('\n');
  std::uint64_t rows = 0;
  if (end != std::string::npos) {
    std::from_chars(position.detail.data(), position.detail.data() + end, rows);
    position.detail.erase(0, end + 1);
  }
  return rows;
}

}  // namespace

// One source. In a merge its readings wait in `staged`, decoded message by message, until it is their turn.
struct ReplayStream::Input final : batch::RowWriter::Owner {
  Input(ReplayStream& owner, std::uint32_t number) : stream(owner), index(number), writer(*owner.wiring_.keys, *this) {
    writer.set_range(owner.options_.from_ns, owner.options_.to_ns);
    writer.set_times(owner.plan_.times);
  }

  batch::Batch& batch_full(batch::Batch& /*full*/) override {
    staged.push_back(spare());
    return *staged.back();
  }
  void malformed(batch::Malformed reason, std::string_view sample, std::string_view member) override {
    stream.feed_.malformed(reason, sample, member);
  }

  std::unique_ptr<batch::Batch> spare() {
    if (spares.empty()) {
      return std::make_unique<batch::Batch>(stream.plan_.spec.schema.fields.size(),
                                            stream.wiring_.plan->spec.batch_rows);
    }
    auto batch = std::move(spares.back());
    spares.pop_back();
    return batch;
  }

  ReplayStream& stream;
  std::uint32_t index;
  std::unique_ptr<source::BlockReader> reader;
  std::unique_ptr<decode::Decoder> decoder;
  batch::SourcePosition start;  ///< before the message that is staged
  batch::SourcePosition after;  ///< behind it
  batch::RowWriter writer;
  std::deque<std::unique_ptr<batch::Batch>> staged;
  std::vector<std::unique_ptr<batch::Batch>> spares;
  std::uint32_t row = 0;    ///< next row of staged.front()
  std::uint64_t taken = 0;  ///< readings of the message handed on
  std::uint64_t skip = 0;   ///< readings handed on before the restart
  std::int64_t newest = kBeforeAll;
  MessageCounts counts;  ///< of the staged message
  bool ended = false;
  // Paced replay goes line by line.
  batch::MessageView block;
  std::size_t block_at = 0;
  bool have_block = false;
};

ReplayStream::ReplayStream(const StreamFeed::Wiring& wiring, const StreamResume& resume, const ReplayOptions& options)
    : StreamReplay(options.speed, wiring.plan->spec.batch_interval.count()),
      wiring_(wiring),
      plan_(wiring.plan->streams[wiring.stream]),
      resume_(resume),
      options_(options),
      feed_(wiring, plan_.arrival_time          ? IntervalClock::arrival
                    : plan_.has_per_batch_query ? IntervalClock::event_time
                                                : IntervalClock::none) {
  feed_.set_interval_end(resume.interval_end_ns);
  feed_.set_key_clock(resume.key_clock_ns, resume.next_key_release_ns);
  feed_.set_range({options.from_ns, options.to_ns, 0});
  open_inputs(true);  // also of one that had ended: it may have grown since, or be another one
}

ReplayStream::~ReplayStream() {
  request_stop();
  join();
}

void ReplayStream::open_inputs(bool resume) {
  inputs_.clear();
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < plan_.spec.sources.size(); ++i) {
    auto input = std::make_unique<Input>(*this, i);
    if (resume) {
      for (const auto& [source, position] : resume_.positions) {
        if (source == i) {
          input->start = position;
        }
      }
      if (plan_.spec.sources.size() > 1) {
        input->skip = take_rows(input->start);
      }
    }
    input->after = input->start;
    input->reader = source::make_block_reader(plan_.spec.sources[i], i, input->start, &stop_);
    input->decoder = decode::make_decoder(plan_.spec, plan_.spec.sources[i]);
    total += input->reader->bytes_total();
    inputs_.push_back(std::move(input));
  }
  bytes_total_ = total;
}

void ReplayStream::work() {
  try {
    std::int64_t shift = 0;
    while (true) {
      if (inputs_.size() == 1) {
        read_one();
      } else {
        read_merged();
      }
      if (!options_.loop || stopping() || feed_.newest_event_time() == kBeforeAll) {
        break;
      }
      // The next round follows the last one in event time, one batch interval after its newest reading.
      const std::int64_t newest = feed_.newest_event_time() - shift;
      shift = saturating_add(saturating_subtract(feed_.newest_event_time(), feed_.oldest_event_time()),
                             wiring_.plan->spec.batch_interval.count());
      if (saturating_add(newest, shift) > plan_.times.last) {
        break;  // no later instants are left
      }
      feed_.set_range({options_.from_ns, options_.to_ns, shift});
      open_inputs(false);
    }
  } catch (...) {
    error_ = std::current_exception();
  }
  const bool grew = !resume_.ended || feed_.newest_event_time() != kBeforeAll;
  feed_.finish(grew && !pacer_.stopped() && error_ == nullptr);
  wiring_.queue->push({wiring_.stream, nullptr});
}

// The next message of an input: a block of lines, or in a paced replay a single line.
bool ReplayStream::next_message(Input& input) {
  if (!pacer_.paced() || (input.have_block && input.block.refused)) {
    input.have_block = false;
    return input.reader->next(input.block);
  }
  if (!input.have_block) {
    if (!input.reader->next(input.block)) {
      return false;
    }
    input.have_block = true;
    input.block_at = 0;
  }
  return true;
}

void ReplayStream::read_one() {
  Input& input = *inputs_.front();
  while (!stopping() && next_message(input)) {
    const std::int64_t arrival = plan_.arrival_time ? clock_.now_ns() : 0;
    if (plan_.arrival_time) {
      feed_.advance_arrival_clock(arrival);
    }
    if (!pacer_.paced()) {
      feed_.message(input.block, *input.decoder, arrival, kNever);
    } else {
      batch::MessageView line = input.block;
      const std::size_t end = input.block.payload.find('\n', input.block_at);
      const std::size_t next = end == std::string_view::npos ? input.block.payload.size() : end + 1;
      line.payload = input.block.payload.substr(input.block_at, next - input.block_at);
      if (input.block_at > 0) {  // what the block tells once
        line.starts_file = false;
        line.position_detail = {};
      }
      // Positions count bytes of the input, so the block's position minus what is left of it is behind this line.
      line.position_offset = input.block.position_offset - (input.block.payload.size() - next);
      input.block_at = next;
      input.have_block = next < input.block.payload.size();
      feed_.message(line, *input.decoder, arrival, kNever);
      pace(feed_.newest_event_time());
    }
    feed_.seal_if_full();
    bytes_read_ = input.reader->bytes_read();
    if (options_.progress) {
      options_.progress(bytes_read_, bytes_total_);
    }
  }
  if (!stopping()) {
    feed_.finish_input(0, *input.decoder, plan_.arrival_time ? clock_.now_ns() : 0);
  }
}

// Decodes messages until the input has a reading staged. False at its end.
bool ReplayStream::refill(Input& input) {
  while (true) {
    if (!input.staged.empty()) {
      const std::uint32_t staged = input.staged.front()->size();
      for (; input.skip > 0 && input.row < staged; --input.skip, ++input.row, ++input.taken) {
        input.newest = std::max(input.newest, input.staged.front()->times()[input.row]);
      }
      if (input.row < staged) {
        return true;
      }
      input.staged.front()->clear();
      input.spares.push_back(std::move(input.staged.front()));
      input.staged.pop_front();
      input.row = 0;
      if (!input.staged.empty()) {
        continue;
      }
      // The message is used up: only now is what it held beside readings counted, once, however often it is decoded. A
      // message that ends in the middle of a record counts as one with the next.
      if (!input.decoder->holds_back() || input.ended) {
        feed_.add_counts(input.counts);
        input.counts = {};
        input.start = input.after;
        input.taken = 0;
      }
    }
    if (input.ended) {
      return false;
    }
    decode_next(input);
  }
}

void ReplayStream::decode_next(Input& input) {
  input.staged.push_back(input.spare());
  input.writer.attach(*input.staged.back());
  const std::int64_t arrival = plan_.arrival_time ? clock_.now_ns() : 0;
  input.writer.begin_message(input.index, arrival, kNever);
  if (input.reader->next(input.block)) {
    input.decoder->decode(input.block, input.writer);
    input.after.advance(input.block.position_offset, input.block.position_detail);
    input.counts.payload_bytes += input.block.payload.size();
  } else {
    if (!stopping()) {
      input.decoder->finish(input.writer);
    }
    input.ended = true;
  }
  for (const auto& staged : input.staged) {
    input.counts.add(*staged);
  }
}

void ReplayStream::read_merged() {
  feed_.set_divisible_messages();
  feed_.set_before_hand_on([this](batch::Batch&) {
    for (const auto& input : inputs_) {
      feed_.position(input->index, input->start.offset, with_rows(input->taken, input->start.detail));
    }
  });
  std::uint64_t rows = 0;
  while (!stopping()) {
    Input* next = nullptr;
    for (const auto& input : inputs_) {
      if (!refill(*input)) {
        continue;
      }
      // An input whose first reading is not known yet holds everybody back, as its watermark does.
      if (next == nullptr || input->newest < next->newest) {
        next = input.get();
      }
    }
    if (next == nullptr) {
      break;
    }
    const batch::Batch& staged = *next->staged.front();
    const std::uint32_t row = next->row;
    if (plan_.arrival_time) {
      feed_.advance_arrival_clock(staged.times()[row]);
    }
    next->newest = std::max(next->newest, staged.times()[row]);
    ++next->row;
    ++next->taken;  // before the copy: it may fill the batch, which then carries this position
    feed_.copy_row(staged, row, next->index);
    pace(next->newest);
    if (++rows % 4096 == 0) {
      std::uint64_t read = 0;
      for (const auto& input : inputs_) {
        read += input->reader->bytes_read();
      }
      bytes_read_ = read;
      if (options_.progress) {
        options_.progress(read, bytes_total_);
      }
    }
  }
}

void ReplayStream::pace(std::int64_t newest) {
  if (pacer_.interval_over(newest)) {
    feed_.seal();
    pacer_.wait(newest);
  }
}

}  // namespace weir::runtime
