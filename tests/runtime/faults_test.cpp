// Every call on a file that a gateway makes from its start to its stop fails, one after the other: no acknowledged
// reading is lost, no row is cut, doubled or torn, and whatever failed is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <weir/receiver.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <map>
#include <sstream>

#include "core/error.hpp"
#include "core/log.hpp"
#include "plan/configuration.hpp"
#include "runtime/pipeline_support.hpp"
#include "support/nth_call_faults.hpp"
#include "support/sanitized.hpp"

namespace weir::test {
namespace {

namespace fs = std::filesystem;

// Enough of them that journal segments are full and files are rotated.
constexpr std::size_t kMessages = 48;
constexpr std::size_t kReadings = 60;  // in a message
constexpr std::uint64_t kForAWhile = 4;
constexpr std::uint64_t kForGood = 1U << 30U;

constexpr std::uint64_t kStride = kSanitized ? 23 : 1;

// A receiver whose messages the test itself stores.
class Hand final : public Receiver {
 public:
  void on_start(Emitter& emitter) override { emitter_ = &emitter; }
  bool store(const std::string& payload) { return emitter_.load()->store(payload); }

 private:
  std::atomic<Emitter*> emitter_{nullptr};
};

// The last one closes the windows of the others.
std::vector<std::string> messages() {
  std::vector<std::string> all;
  for (std::size_t m = 0; m < kMessages; ++m) {
    std::string& text = all.emplace_back("[");
    for (std::size_t r = 0; r < kReadings; ++r) {
      const std::size_t i = m * kReadings + r;
      text += (r == 0 ? "" : ",") + (R"({"k":"sensor-)" + std::to_string(i % 7)) + R"(","t":)" +
              std::to_string(1'700'000'000'000 + i * 20) + R"(,"v":)" + std::to_string(i * i % 1000) + "}";
    }
    text += "]";
  }
  all.emplace_back(R"({"k":"end","t":1700009000000,"v":0})");
  return all;
}

spec::Pipeline configuration(const std::string& directory) {
  return plan::parse_configuration(R"~(
[pipeline]
state_dir = ")~" + directory + R"~(/state"
dead_letter = ")~" + directory + R"~(/dead.jsonl"
batch_interval = "1ms"
checkpoint_interval = "1ms"
journal_segment = "64KiB"
threads = 1
[streams.s]
source = { type = "file", path = "replaced", format = "json" }
time = { field = "t", unit = "ms" }
keys = ["k"]
fields = { v = 0 }
out_of_order = "3s"
dedupe = true
max_keys = 20
[[query]]
name = "rotated"
from = "s"
select = ["count()", "sum(v)", "last(v)"]
group_by = ["k"]
window = "4s"
slide = "2s"
sinks = ["rotated"]
[[query]]
name = "table"
from = "s"
select = ["count()", "avg(v)"]
group_by = ["k"]
window = "1s"
sinks = ["table"]
[[query]]
name = "plain"
from = "s"
select = ["count()", "sum(v)"]
window = "500ms"
sinks = ["plain"]
[[sink]]
name = "rotated"
type = "file"
path = ")~" + directory + R"~(/out/rotated.jsonl"
rotate_bytes = "4KiB"
[[sink]]
name = "table"
type = "file"
format = "csv"
path = ")~" + directory + R"~(/out/table.csv"
[[sink]]
name = "plain"
type = "file"
path = ")~" + directory + R"~(/out/plain.jsonl"
)~",
                                   "test.toml");
}

/// Bytes of the output files by name.
std::map<std::string, std::string> output(const std::string& directory) {
  std::map<std::string, std::string> files;
  std::error_code none;  // perhaps nothing was made
  for (const auto& entry : fs::directory_iterator(directory + "/out", none)) {
    files[entry.path().filename().string()] = read_file(entry.path().string());
  }
  return files;
}

/// What one start and its end came to.
struct Life {
  std::string error;  ///< empty: a graceful stop
  std::string log;
  runtime::Report report;
};

/// A gateway and the sender of its messages, which sends what is not acknowledged again in the next life.
class Gateway {
 public:
  explicit Gateway(std::string directory, std::size_t acknowledged = 0)
      : directory_(std::move(directory)), acknowledged_(acknowledged) {}

  Life live(FileSystem& files, std::size_t goal = kMessages + 1) {
    static const std::vector<std::string> all = messages();
    Life life;
    log::set_writer([&life](log::Level, std::string_view line) { life.log.append(line).append("\n"); },
                    log::Level::info);
    try {
      spec::Pipeline spec = configuration(directory_);
      const auto hand = std::make_shared<Hand>();
      spec::Source source;
      source.kind = spec::SourceKind::custom;
      source.receiver = hand;
      spec.streams[0].sources.assign(1, source);
      runtime::Options options;
      options.files = &files;
      runtime::Pipeline pipeline(plan::compile(std::move(spec)), options);
      pipeline.start();
      while (acknowledged_ < goal && hand->store(all[acknowledged_])) ++acknowledged_;
      pipeline.request_stop();
      pipeline.wait();
      life.report = pipeline.report();
    } catch (const Error& error) {
      life.error = error.what();
    }
    log::set_writer({}, log::Level::critical);
    return life;
  }
  [[nodiscard]] std::size_t acknowledged() const noexcept { return acknowledged_; }
  [[nodiscard]] const std::string& directory() const noexcept { return directory_; }

 private:
  const std::string directory_;
  std::size_t acknowledged_;
};

class Disk : public ::testing::Test {
 protected:
  Disk() {
    Gateway gateway(scratch_.path("whole"));
    NthCallFaults none;
    const Life life = gateway.live(none);
    EXPECT_EQ(life.error, "");
    calls_ = none.calls();
    whole_ = output(gateway.directory());
    EXPECT_GT(whole_.size(), 6U) << "files are rotated";
    EXPECT_GT(calls_, 60U);
  }

  /// Whole rows, and none that an undisturbed run does not write.
  void expect_no_torn_row(const std::string& directory) const {
    for (const auto& [name, bytes] : output(directory)) {
      if (bytes.empty()) continue;
      EXPECT_EQ(bytes.back(), '\n') << name;
      std::string all;
      for (const auto& [whole_name, whole] : whole_) {
        if (whole_name.substr(0, whole_name.find('.')) == name.substr(0, name.find('.'))) all += whole;
      }
      std::istringstream lines(bytes);
      for (std::string line; std::getline(lines, line);) {
        EXPECT_NE(("\n" + all).find("\n" + line + "\n"), std::string::npos) << name << ": " << line;
      }
    }
  }

  /// The next start, on a disk that works, ends with the undisturbed rows and every reading counted once.
  void expect_whole(Gateway& gateway) const {
    const Life life = gateway.live(real_file_system());
    ASSERT_EQ(life.error, "") << life.log;
    ASSERT_EQ(gateway.acknowledged(), kMessages + 1);
    EXPECT_EQ(output(gateway.directory()), whole_);
    EXPECT_TRUE(life.report.balances());
    EXPECT_EQ(life.report.streams[0].ledger.delivered, kMessages * kReadings + 1);
    for (const auto& query : life.report.queries) EXPECT_EQ(query.ledger.late, 0U);
  }

  // What is tried again without anybody noticing needs no word: to remove what is not needed any more, to prepare the
  // journal's next segment in good time, and to look at checkpoints that are older than the one in use.
  static bool needs_no_word(const std::string& call) {
    if (call.starts_with("remove") || (call.find("/journal/") != std::string::npos && call.ends_with(".tmp'"))) {
      return true;
    }
    const bool looks = call.starts_with("open") || call.starts_with("read") || call.starts_with("look at");
    return looks && call.find("checkpoint-") != std::string::npos && call.ends_with(".weir'");
  }
  static void expect_told(const Life& life, const NthCallFaults& files, int error_number) {
    const std::vector<std::string> failed = files.failed();
    if (life.error.empty() && std::all_of(failed.begin(), failed.end(), needs_no_word)) return;
    if (failed.empty()) return;
    EXPECT_THAT(life.error + life.log, ::testing::HasSubstr(std::strerror(error_number)));
  }

  const Scratch scratch_;
  std::uint64_t calls_ = 0;
  std::map<std::string, std::string> whole_;
};

struct Fault {
  std::uint64_t count;
  int error_number;
};

std::string describe(std::uint64_t first, const Fault& fault, const NthCallFaults& files) {
  std::string text = "call " + std::to_string(first) + ", " + std::to_string(fault.count) +
                     " in all: " + std::strerror(fault.error_number) + ":";
  for (const std::string& call : files.failed()) text += "\n  " + call;
  return text;
}

// A broken disk once, and the other reasons by turns: once, and for a while.
Fault fault_at(std::uint64_t call, std::size_t kind) {
  constexpr std::array<int, 3> kReasons{ENOSPC, EACCES, EROFS};
  if (kind == 0) return {1, EIO};
  return {kind == 1 ? kForAWhile : 1, kReasons[(call + kind) % 3]};
}

class Faults : public Disk, public ::testing::WithParamInterface<std::size_t> {};

TEST_P(Faults, EveryCallOfAFirstLifeMayFail) {
  for (std::uint64_t call = 0; call < calls_; call += kStride) {
    const Fault fault = fault_at(call, GetParam());
    NthCallFaults files(call, fault.count, fault.error_number);
    Gateway gateway(scratch_.path("first"));
    const Life life = gateway.live(files);
    SCOPED_TRACE(describe(call, fault, files) + "\n" + life.error + "\n" + life.log);
    if (fault.count == 1) expect_no_torn_row(gateway.directory());
    expect_told(life, files, fault.error_number);
    if (life.error.empty()) {
      EXPECT_EQ(output(gateway.directory()), whole_);
    }
    expect_whole(gateway);
    fs::remove_all(gateway.directory());
    if (HasFailure()) return;
  }
}

TEST_P(Faults, EveryCallOfARecoveryMayFail) {
  // A life whose disk fails for good leaves a journal to be read again, and rows to be cut off.
  const std::string directory = scratch_.path("second");  // the state names its outputs
  const std::string crashed = scratch_.path("crashed");
  Gateway first(directory);
  NthCallFaults broken(calls_ * 3 / 5, kForGood, EIO);
  EXPECT_NE(first.live(broken).error, "");
  fs::copy(directory, crashed, fs::copy_options::recursive);
  const auto crash = [&] {
    fs::remove_all(directory);
    fs::copy(crashed, directory, fs::copy_options::recursive);
    return Gateway(directory, first.acknowledged());
  };
  NthCallFaults none;
  EXPECT_EQ(crash().live(none).error, "");
  for (std::uint64_t call = 0; call < none.calls(); call += kStride) {
    const Fault fault = fault_at(call, GetParam());
    NthCallFaults files(call, fault.count, fault.error_number);
    Gateway gateway = crash();
    const Life life = gateway.live(files);
    SCOPED_TRACE(describe(call, fault, files) + "\n" + life.error + "\n" + life.log);
    expect_told(life, files, fault.error_number);
    if (life.error.empty()) {
      EXPECT_EQ(output(gateway.directory()), whole_);
    }
    expect_whole(gateway);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Faults, ::testing::Values(0, 1, 2));

TEST_F(Disk, ShortAndInterruptedTransfersChangeNothing) {
  ShortTransfers files;
  Gateway gateway(scratch_.path("short"));
  const Life half = gateway.live(files, kMessages / 2);
  EXPECT_EQ(half.error, "");
  const Life life = gateway.live(files);
  EXPECT_EQ(life.error, "");
  EXPECT_EQ(output(gateway.directory()), whole_);
}

}  // namespace
}  // namespace weir::test
