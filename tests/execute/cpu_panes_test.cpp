// The CPU backend's panes against those of the naive backend, call by call: the same batches, cuts, closes, revisions
// and checkpoints to both, with sizes so small that threads, shadows and layers come into play everywhere.
#include "execute/cpu/cpu_panes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <tuple>

#include "contract/naive_backend.hpp"
#include "core/decimal.hpp"
#include "execute/queries.hpp"

namespace weir::execute::cpu {
namespace {

constexpr std::int64_t kPane = 1'000;

/// What a consumer saw, as text: easy to compare and to read when it differs.
class Recorder final : public WindowConsumer {
 public:
  explicit Recorder(const plan::QueryPlan& query) : query_(query) {}
  void window(const WindowTotals& totals) override {
    std::string text = totals.revision ? "revision " : "window ";
    text += std::to_string(totals.start_ns) + ".." + std::to_string(totals.end_ns);
    const std::size_t arguments = query_.arguments.size();
    const std::size_t quantiles = totals.groups.empty() ? 0 : totals.quantiles.size() / totals.groups.size();
    const std::size_t distincts = totals.groups.empty() ? 0 : totals.distincts.size() / totals.groups.size();
    for (std::size_t e = 0; e < totals.groups.size(); ++e) {
      // The naive backend leaves out groups without readings in a revision, this one may have them.
      if (totals.counts[e] == 0) continue;
      text += "\n  group " + std::to_string(totals.groups[e]) + " rows " + std::to_string(totals.counts[e]);
      for (std::size_t a = 0; a < arguments; ++a) add(text, query_.arguments[a], totals.arguments[e * arguments + a]);
      for (std::size_t q = 0; q < quantiles; ++q) {
        for (const auto& [bin, count] : totals.quantiles[e * quantiles + q].bins) {
          text += " " + std::to_string(bin) + ":" + std::to_string(count);
        }
      }
      for (std::size_t d = 0; d < distincts; ++d) text += " ~" + std::to_string(totals.distincts[e * distincts + d]);
    }
    windows.push_back(text);
  }
  std::vector<std::string> windows;

 private:
  static void add(std::string& text, const plan::Argument& argument, const ArgumentTotal& total) {
    text += " | n " + std::to_string(total.count);
    if (total.count == 0) return;
    if ((argument.parts & plan::kPartSum) != 0) {
      text += " sum ";
      append_decimal(text, total.sum, 0);
    }
    if ((argument.parts & plan::kPartSquares) != 0) {
      for (const std::uint64_t limb : total.squares.limb) text += "," + std::to_string(limb);
    }
    if ((argument.parts & plan::kPartMinMax) != 0) {
      text += " in " + std::to_string(total.min) + ".." + std::to_string(total.max);
    }
    if ((argument.parts & plan::kPartFirst) != 0) {
      text += " first " + std::to_string(total.first_time) + "=" + std::to_string(total.first_value);
    }
    if ((argument.parts & plan::kPartLast) != 0) {
      text += " last " + std::to_string(total.last_time) + "=" + std::to_string(total.last_value);
    }
  }
  const plan::QueryPlan& query_;
};

/// What a stream and a run over it look like.
struct Shape {
  std::string name;
  std::int64_t panes_per_window = 6;
  std::int64_t panes_per_slide = 1;
  std::int64_t lateness_slides = 0;
  std::uint32_t keys = 40;
  std::uint32_t groups = 0;   ///< 0: each key is a group; 1: one group; otherwise keys modulo groups
  std::int64_t disorder = 0;  ///< ns that a reading may be behind
  double stragglers = 0.0;    ///< share of readings far behind
  double nulls = 0.0;
  double wide = 0.0;   ///< share of values near the limits of 64 bits
  bool jumps = false;  ///< gaps longer than a window
  std::uint16_t parts = plan::kPartCount | plan::kPartSum | plan::kPartMinMax;
  bool derived = false;  ///< a second, computed argument, and a filter
  bool distinct = false;
  bool some_without_group = false;
  unsigned threads = 1;
  Tuning tuning;
};

plan::QueryPlan make_query(const Shape& shape) {
  plan::QueryPlan query = grouped_query({0}, shape.panes_per_window * kPane, shape.panes_per_slide * kPane);
  query.allowed_lateness_ns = shape.lateness_slides * query.slide_ns;
  query.max_groups = shape.keys;
  plan::Argument first;
  first.field = 0;
  first.places = 2;
  first.nullable = shape.nulls > 0;
  first.parts = shape.parts;
  query.arguments.push_back(first);
  if (shape.derived) {
    // b * 0.5, where a >= -50 and not key test 0
    plan::Argument second;
    second.program.code = {
        {ops::Op::field, 0, 0, 0, 0, 1}, {ops::Op::constant, 1, 0, 0, 0, 0}, {ops::Op::mul, 0, 0, 1, 0, 0}};
    second.program.constants = {0.5};
    second.program.registers = 2;
    second.places = 3;
    second.parts = plan::kPartCount | plan::kPartSum | plan::kPartSquares | plan::kPartMinMax;
    query.arguments.push_back(second);
    query.where.code = {{ops::Op::field, 0, 0, 0, 0, 0}, {ops::Op::constant, 1, 0, 0, 0, 0},
                        {ops::Op::ge, 0, 0, 1, 0, 0},    {ops::Op::key_test, 1, 0, 0, 0, 0},
                        {ops::Op::not_, 1, 1, 0, 0, 0},  {ops::Op::and_, 0, 0, 1, 0, 0}};
    query.where.constants = {-50.0};
    query.where.registers = 2;
    query.key_tests.push_back({0, plan::KeyTest::Compare::eq, "x"});
  }
  if (shape.distinct) {
    plan::Aggregate aggregate;
    aggregate.kind = plan::AggregateKind::distinct;
    aggregate.key = 0;
    query.aggregates.push_back(aggregate);
  }
  return query;
}

/// Drives two implementations with the same random calls.
class Duel {
 public:
  Duel(const Shape& shape, std::uint64_t seed)
      : shape_(shape),
        random_(seed),
        query_(make_query(shape)),
        pool_(shape.threads),
        naive_backend_(contract::make_naive_backend()),
        naive_recorder_(query_),
        cpu_recorder_(query_),
        naive_(naive_backend_->make_panes(query_, naive_recorder_, {})),
        cpu_(std::make_unique<CpuPanes>(query_, cpu_recorder_, pool_, shape.tuning)) {
    for (std::uint32_t key = 0; key < shape.keys; ++key) {
      group_of_.push_back(shape.groups == 0 ? key : key % shape.groups);
      if (shape.some_without_group && key % 5 == 4) group_of_.back() = kNoGroup;
      tests_.push_back(key % 7 == 3 ? 1 : 0);
      hashes_.push_back(random_());
    }
  }

  void run(std::size_t batches) {
    for (std::size_t i = 0; i < batches && !::testing::Test::HasFailure(); ++i) {
      one_batch();
      if (draw(5) == 0) checkpoint();
    }
    close_until(now_ + 20 * query_.window_ns);
    compare("at the end");
  }

 private:
  std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  bool chance(double share) { return static_cast<double>(draw(1'000'000)) < share * 1e6; }

  std::int64_t value() {
    if (chance(shape_.wide)) {
      const auto magnitude =
          static_cast<std::int64_t>(std::numeric_limits<std::int64_t>::max() - static_cast<std::int64_t>(draw(3)));
      return draw(2) == 0 ? magnitude : -magnitude;
    }
    return static_cast<std::int64_t>(draw(20'001)) - 10'000;
  }

  void one_batch() {
    static constexpr std::array<std::uint32_t, 9> kSizes{0, 1, 31, 32, 33, 1'023, 1'024, 1'025, 3'000};
    const std::uint32_t size = kSizes[draw(kSizes.size())];
    batch::Batch batch(2, std::max(size, 1U));
    for (std::uint32_t row = 0; row < size; ++row) {
      now_ += static_cast<std::int64_t>(draw(static_cast<std::uint64_t>(kPane) / 50));
      if (shape_.jumps && draw(2'000) == 0) now_ += static_cast<std::int64_t>(draw(4)) * query_.window_ns;
      std::int64_t time = now_;
      if (shape_.disorder > 0) time -= static_cast<std::int64_t>(draw(static_cast<std::uint64_t>(shape_.disorder)));
      if (chance(shape_.stragglers))
        time -= static_cast<std::int64_t>(draw(static_cast<std::uint64_t>(2 * query_.window_ns)));
      batch.times()[row] = time;
      batch.keys()[row] = static_cast<std::uint32_t>(draw(known_keys_));
      if (known_keys_ < shape_.keys && draw(50) == 0) ++known_keys_;
      for (std::size_t field = 0; field < 2; ++field) {
        const bool null = chance(shape_.nulls);
        batch.may_have_nulls = batch.may_have_nulls || null;
        batch.field(field)[row] = null ? kNullUnits : value();
      }
    }
    batch.set_size(size);
    feed(batch);
  }

  void feed(const batch::Batch& batch) {
    const std::array<const std::uint8_t*, 1> tests{tests_.data()};
    const std::array<const std::uint64_t*, 1> hashes{hashes_.data()};
    GroupView view;
    view.group_of = shape_.groups == 1 ? nullptr : group_of_.data();
    view.keys = known_keys_;
    view.groups = shape_.groups == 0 ? known_keys_ : shape_.groups;
    view.key_tests = tests;
    view.key_hashes = hashes;
    naive_->begin(batch, view);
    cpu_->begin(batch, view);
    std::uint32_t from = 0;
    while (from < batch.size()) {
      const std::uint32_t to =
          draw(3) == 0 ? batch.size() : from + static_cast<std::uint32_t>(draw(batch.size() - from + 1));
      const Horizon horizon{closed_end_, late_before(), false, 0};
      naive_->accumulate({from, to}, horizon);
      cpu_->accumulate({from, to}, horizon);
      take_stragglers();
      from = to;
      if (draw(2) == 0) {
        // Readings up to there are in, but the disorder that is usual may still come.
        const std::int64_t newest = *std::max_element(batch.times(), batch.times() + std::max(to, 1U));
        close_until(newest - shape_.disorder);
      }
    }
    StepCounts naive_counts;
    StepCounts cpu_counts;
    std::vector<std::uint32_t> naive_late;
    std::vector<std::uint32_t> cpu_late;
    const std::size_t limit = draw(2) == 0 ? 3 : 1'000'000;
    naive_->finish(naive_counts, naive_late, limit);
    cpu_->finish(cpu_counts, cpu_late, limit);
    EXPECT_EQ(cpu_counts.counted, naive_counts.counted);
    EXPECT_EQ(cpu_counts.filtered, naive_counts.filtered);
    EXPECT_EQ(cpu_counts.late, naive_counts.late);
    EXPECT_EQ(cpu_late, naive_late);
    compare("after a batch");
  }

  [[nodiscard]] std::int64_t late_before() const {
    if (closed_end_ == kNothingClosed) return kNothingClosed;
    return closed_end_ - query_.allowed_lateness_ns + query_.slide_ns - query_.window_ns;
  }

  void take_stragglers() {
    if (query_.allowed_lateness_ns == 0) return;
    std::vector<Straggler> naive;
    std::vector<Straggler> cpu;
    naive_->take_stragglers(naive);
    cpu_->take_stragglers(cpu);
    const auto key = [](const Straggler& s) { return std::tuple(s.pane_start, s.group); };
    std::vector<std::tuple<std::int64_t, std::uint32_t>> expected;
    std::vector<std::tuple<std::int64_t, std::uint32_t>> actual;
    for (const Straggler& s : naive) expected.push_back(key(s));
    for (const Straggler& s : cpu) actual.push_back(key(s));
    std::sort(expected.begin(), expected.end());
    std::sort(actual.begin(), actual.end());
    EXPECT_EQ(actual, expected);
    if (closed_end_ == kNothingClosed) return;
    // Some window that is closed and kept.
    const std::int64_t end =
        closed_end_ -
        static_cast<std::int64_t>(draw(static_cast<std::uint64_t>(shape_.lateness_slides) + 1)) * query_.slide_ns;
    if (end - query_.window_ns < late_before()) return;
    std::vector<std::uint32_t> groups;
    for (std::uint32_t g = 0; g < (shape_.groups == 0 ? known_keys_ : shape_.groups); ++g) {
      if (draw(3) == 0) groups.push_back(g);
    }
    naive_->revise(end, groups);
    cpu_->revise(end, groups);
  }

  void close_until(std::int64_t watermark) {
    const std::int64_t slide = query_.slide_ns;
    const std::int64_t last = watermark / slide * slide;
    if (closed_end_ == kNothingClosed) closed_end_ = kStart - kStart % slide - slide;
    while (closed_end_ < last) {
      std::int64_t first_start = 0;
      std::int64_t last_end = 0;
      if (!naive_->occupied(first_start, last_end)) {
        // A gap: the windows in between are empty and are not asked for.
        closed_end_ = last - slide;
      }
      closed_end_ += slide;
      naive_->close(closed_end_, late_before());
      cpu_->close(closed_end_, late_before());
    }
  }

  void checkpoint() {
    state::SectionWriter expected;
    state::SectionWriter actual;
    naive_->save(expected);
    cpu_->save(actual);
    // What was copied is there when the panes are gone.
    cpu_ = std::make_unique<CpuPanes>(query_, cpu_recorder_, pool_, shape_.tuning);
    actual.resolve();
    EXPECT_EQ(actual.gather(), expected.bytes());
    state::Reader reader(expected.bytes());
    cpu_->load(reader, PaneNumbers::compact, closed_end_, shape_.groups == 0 ? known_keys_ : shape_.groups);
    EXPECT_TRUE(reader.at_end());
    state::SectionWriter again;
    cpu_->save(again);
    again.resolve();
    EXPECT_EQ(again.gather(), expected.bytes());
  }

  void compare(const char* when) {
    ASSERT_EQ(cpu_recorder_.windows, naive_recorder_.windows) << when;
    cpu_recorder_.windows.clear();
    naive_recorder_.windows.clear();
    std::int64_t naive_first = 0;
    std::int64_t naive_last = 0;
    std::int64_t cpu_first = 0;
    std::int64_t cpu_last = 0;
    ASSERT_EQ(cpu_->occupied(cpu_first, cpu_last), naive_->occupied(naive_first, naive_last)) << when;
    EXPECT_EQ(cpu_first, naive_first) << when;
    EXPECT_EQ(cpu_last, naive_last) << when;
  }

  static constexpr std::int64_t kStart = 1'000'000'000;

  const Shape& shape_;
  std::mt19937_64 random_;
  plan::QueryPlan query_;
  WorkerPool pool_;
  std::unique_ptr<Backend> naive_backend_;
  Recorder naive_recorder_;
  Recorder cpu_recorder_;
  std::unique_ptr<QueryPanes> naive_;
  std::unique_ptr<CpuPanes> cpu_;
  std::vector<std::uint32_t> group_of_;
  std::vector<std::uint8_t> tests_;
  std::vector<std::uint64_t> hashes_;
  std::uint32_t known_keys_ = 3;
  std::int64_t now_ = kStart;
  std::int64_t closed_end_ = kNothingClosed;
};

constexpr Tuning kSmall{500, 64, 8, 2, 0};
constexpr std::uint16_t kAllParts = plan::kPartCount | plan::kPartSum | plan::kPartSquares | plan::kPartMinMax |
                                    plan::kPartFirst | plan::kPartLast | plan::kPartQuantile;

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  const auto add = [&](std::string name, const auto& change) {
    for (const unsigned threads : {1U, 2U, 3U, 4U}) {
      Shape shape;
      shape.threads = threads;
      shape.tuning = kSmall;
      change(shape);
      shape.name = name + "_" + std::to_string(threads);
      all.push_back(shape);
    }
  };
  add("Sliding", [](Shape&) {});
  add("UsualSizes", [](Shape& s) { s.tuning = {}; });
  add("Tumbling", [](Shape& s) { s.panes_per_window = s.panes_per_slide = 1; });
  add("TumblingManyGroups", [](Shape& s) {
    s.panes_per_window = s.panes_per_slide = 1;
    s.keys = 700;
    s.nulls = 0.2;
  });
  add("ThreeByTwo", [](Shape& s) {
    s.panes_per_window = 3;
    s.panes_per_slide = 2;
    s.disorder = 3 * kPane;
  });
  add("SlideBeyondWindow", [](Shape& s) {
    s.panes_per_window = 2;
    s.panes_per_slide = 5;
    s.stragglers = 0.05;
  });
  add("Disorder", [](Shape& s) {
    s.disorder = 15 * kPane;
    s.stragglers = 0.01;
  });
  add("Stragglers", [](Shape& s) {
    s.stragglers = 0.3;
    s.parts = kAllParts;
  });
  add("AllowedLateness", [](Shape& s) {
    s.stragglers = 0.2;
    s.lateness_slides = 4;
    s.parts = kAllParts;
    s.distinct = true;
  });
  add("TumblingWithLateness", [](Shape& s) {
    s.panes_per_window = s.panes_per_slide = 1;
    s.stragglers = 0.2;
    s.lateness_slides = 3;
  });
  add("Gaps", [](Shape& s) {
    s.jumps = true;
    s.disorder = kPane / 2;
  });
  add("LongWindow", [](Shape& s) { s.panes_per_window = 50; });
  add("Nulls", [](Shape& s) {
    s.nulls = 0.3;
    s.parts = kAllParts;
  });
  add("WideValues", [](Shape& s) {
    s.wide = 0.5;
    s.parts = kAllParts;
  });
  add("FewWideValues", [](Shape& s) { s.wide = 0.001; });
  add("OneGroup", [](Shape& s) {
    s.groups = 1;
    s.stragglers = 0.05;
    s.nulls = 0.1;
    s.distinct = true;
  });
  add("KeysInGroups", [](Shape& s) {
    s.groups = 7;
    s.distinct = true;
    s.some_without_group = true;
  });
  add("FilterAndDerived", [](Shape& s) {
    s.derived = true;
    s.nulls = 0.1;
    s.disorder = kPane;
  });
  add("CountOnly", [](Shape& s) { s.parts = plan::kPartCount; });
  add("SumOnly", [](Shape& s) { s.parts = plan::kPartCount | plan::kPartSum; });
  add("ExtremesOnly", [](Shape& s) {
    s.parts = plan::kPartCount | plan::kPartMinMax;
    s.stragglers = 0.1;
  });
  add("ManyGroups", [](Shape& s) {
    s.keys = 900;
    s.stragglers = 0.02;
  });
  return all;
}

class CpuPanesTest : public ::testing::TestWithParam<Shape> {};

TEST_P(CpuPanesTest, Panes_AnswerLikeTheNaiveBackend) {
  Duel(GetParam(), std::hash<std::string>{}(GetParam().name)).run(15);
}

INSTANTIATE_TEST_SUITE_P(Shapes, CpuPanesTest, ::testing::ValuesIn(shapes()),
                         [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace weir::execute::cpu
