// The simulated plant: the same bytes everywhere, and what its options promise.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>

#include "core/error.hpp"
#include "core/time_text.hpp"
#include "source/collector.hpp"
#include "source/simulated_text.hpp"
#include "source/simulator.hpp"
#include "source/source.hpp"
#include "support/process.hpp"

namespace weir::source {
namespace {

using test::eventually;

spec::Simulator options(std::uint64_t count) {
  spec::Simulator options;
  options.seed = 42;
  options.sensors = 10;
  options.rate_per_s = 100.0;
  options.count = count;
  options.start = "2013-08-31T22:00:00Z";
  options.realtime = false;
  return options;
}

std::vector<SimulatedReading> all_of(const spec::Simulator& options, Simulator::Totals* totals = nullptr) {
  Simulator simulator(options, 0);
  std::vector<SimulatedReading> all;
  SimulatedReading reading;
  while (simulator.next(reading)) {
    all.push_back(reading);
  }
  if (totals != nullptr) {
    *totals = simulator.totals();
  }
  return all;
}

std::string text_of(const std::vector<SimulatedReading>& readings, spec::FormatKind format) {
  std::string text;
  for (const SimulatedReading& reading : readings) {
    append_reading(text, reading, format);
    text += '\n';
  }
  return text;
}

/// FNV-1a, so that the golden values do not depend on anything of ours.
std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return hash;
}

spec::Simulator everything() {
  spec::Simulator all = options(5'000);
  all.disorder = std::chrono::seconds(2);
  all.gap_probability = 0.05;
  all.duplicate_probability = 0.03;
  all.malformed_probability = 0.02;
  return all;
}

TEST(Simulator, SameOptionsGiveTheSameBytesOnEveryMachine) {
  const std::vector<SimulatedReading> all = all_of(everything());
  EXPECT_EQ(hash_of(text_of(all, spec::FormatKind::json)), 0x4ee260b3b89bf2e0ULL);
  EXPECT_EQ(hash_of(text_of(all, spec::FormatKind::csv)), 0x68bd92be0c4080f6ULL);
  EXPECT_EQ(hash_of(text_of(all, spec::FormatKind::senml)), 0xa114932f3b2afcc7ULL);
  EXPECT_EQ(hash_of(text_of(all, spec::FormatKind::raw)), 0x23b502785510e6cbULL);
}

TEST(Simulator, SeedChangesWhatIsMeasured) {
  spec::Simulator other = options(100);
  other.seed = 43;
  EXPECT_NE(text_of(all_of(options(100)), spec::FormatKind::json), text_of(all_of(other), spec::FormatKind::json));
}

TEST(Simulator, FormatsOfOneReading) {
  SimulatedReading reading;
  reading.time_ns = 1'377'986'401'250'000'000;
  reading.sensor = 7;
  reading.temperature = 21'374;
  reading.vibration = 3'124;
  reading.power = 152'025;
  const auto text = [&](spec::FormatKind format) {
    std::string out;
    append_reading(out, reading, format);
    return out;
  };
  EXPECT_EQ(text(spec::FormatKind::json),
            R"({"sensor":"s0007","line":"D","t":1377986401250,"temperature":21.374,"vibration":0.003124,)"
            R"("power":1520.25,"status":"ok"})");
  EXPECT_EQ(csv_header(), "t,sensor,line,temperature,vibration,power,status");
  EXPECT_EQ(text(spec::FormatKind::csv), "1377986401250,s0007,D,21.374,0.003124,1520.25,ok");
  EXPECT_EQ(text(spec::FormatKind::senml),
            R"([{"bn":"s0007/","bt":1377986401.25,"n":"temperature","u":"Cel","v":21.374},)"
            R"({"n":"vibration","u":"m/s","v":0.003124},{"n":"power","u":"W","v":1520.25},)"
            R"({"n":"line","vs":"D"},{"n":"status","vs":"ok"}])");
  EXPECT_EQ(text(spec::FormatKind::raw), "21.374");
  EXPECT_EQ(text(spec::FormatKind::line),
            R"(machines,line=D,sensor=s0007 temperature=21.374,vibration=0.003124,power=1520.25,status="ok" )"
            "1377986401250000000");
  std::string topic;
  append_topic(topic, reading);
  EXPECT_EQ(topic, "plant/D/s0007/state");
  reading.time_ns += 1'000;
  reading.warning = true;
  EXPECT_EQ(text(spec::FormatKind::csv), "1377986401250.001,s0007,D,21.374,0.003124,1520.25,warn");
}

TEST(Simulator, DefectsAreNoReadings) {
  SimulatedReading reading;
  reading.time_ns = 1'377'986'401'250'000'000;
  reading.temperature = 21'374;
  const auto json = [&](Defect defect) {
    reading.defect = defect;
    std::string out;
    append_json(out, reading);
    return out;
  };
  EXPECT_EQ(json(Defect::cut_off), R"({"sensor":"s0000","line":"A","t":1377986401250,"tempe)");
  EXPECT_NE(json(Defect::word_for_number).find(R"("temperature":"n/a")"), std::string::npos);
  EXPECT_NE(json(Defect::number_too_large).find(R"("temperature":1e40,)"), std::string::npos);
  EXPECT_EQ(json(Defect::no_time).find(R"("t":)"), std::string::npos);
  EXPECT_EQ(json(Defect::noise).find('{'), std::string::npos);
}

TEST(Simulator, SensorsReportInTurnAtTheRate) {
  const std::vector<SimulatedReading> all = all_of(options(1'000));
  ASSERT_EQ(all.size(), 1'000U);
  const std::int64_t start = *TimeReader(TimeUnit::rfc3339).read("2013-08-31T22:00:00Z");
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(all[i].sensor, i % 10);
    ASSERT_EQ(all[i].time_ns, start + static_cast<std::int64_t>(i) * 10'000'000);
    ASSERT_EQ(all[i].due_ns, all[i].time_ns);
    ASSERT_EQ(all[i].defect, Defect::none);
    ASSERT_FALSE(all[i].duplicate);
    ASSERT_GT(all[i].temperature, 15'000);
    ASSERT_LT(all[i].temperature, 33'000);
    ASSERT_GE(all[i].vibration, 2'000);
    ASSERT_LE(all[i].vibration, 60'000);
    ASSERT_GT(all[i].power, 110'000);
    ASSERT_LT(all[i].power, 210'000);
  }
}

TEST(Simulator, DurationAndCountBoundIt) {
  spec::Simulator bounded = options(0);
  bounded.duration = std::chrono::seconds(5);
  EXPECT_EQ(all_of(bounded).size(), 500U);
  bounded.count = 7;
  EXPECT_EQ(all_of(bounded).size(), 7U);
  bounded.count = 5'000;
  EXPECT_EQ(all_of(bounded).size(), 500U);
}

TEST(Simulator, NoSensorHasTwoReadingsOfOneTimeAtAnyRate) {
  for (const double rate : {0.5, 999.0, 1'001.0, 123'456.789, 30'000'000.0}) {
    spec::Simulator fast = options(20'000);
    fast.sensors = 3;
    fast.rate_per_s = rate;
    std::set<std::pair<std::uint32_t, std::int64_t>> known;
    for (const SimulatedReading& reading : all_of(fast)) {
      ASSERT_TRUE(known.insert({reading.sensor, reading.time_ns}).second) << rate;
    }
  }
}

TEST(Simulator, DisorderIsBoundedAndChangesNoValue) {
  spec::Simulator late = options(5'000);
  late.disorder = std::chrono::seconds(1);
  std::vector<SimulatedReading> all = all_of(late);
  std::int64_t newest = std::numeric_limits<std::int64_t>::min();
  std::int64_t latest_by = 0;
  for (const SimulatedReading& reading : all) {
    newest = std::max(newest, reading.time_ns);
    latest_by = std::max(latest_by, newest - reading.time_ns);
  }
  EXPECT_LE(latest_by, 1'000'000'000);
  EXPECT_GT(latest_by, 800'000'000);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.time_ns < b.time_ns; });
  EXPECT_EQ(text_of(all, spec::FormatKind::csv), text_of(all_of(options(5'000)), spec::FormatKind::csv));
}

TEST(Simulator, TotalsSayWhatWasHandedOn) {
  spec::Simulator mixed = everything();
  mixed.count = 50'000;
  Simulator::Totals totals;
  const std::vector<SimulatedReading> all = all_of(mixed, &totals);
  Simulator::Totals counted;
  counted.gaps = 50'000;
  std::map<Defect, int> defects;
  std::set<std::pair<std::uint32_t, std::int64_t>> known;
  for (const SimulatedReading& reading : all) {
    ++(reading.defect != Defect::none ? counted.malformed : reading.duplicate ? counted.duplicates : counted.readings);
    ++defects[reading.defect];
    counted.gaps -= reading.defect == Defect::none && !reading.duplicate ? 1U : 0U;
  }
  EXPECT_EQ(totals, counted);
  EXPECT_EQ(defects.size(), 6U);
  // Within six standard deviations of the expected numbers.
  EXPECT_NEAR(static_cast<double>(totals.gaps), 2'500.0, 6 * 49.0);
  EXPECT_NEAR(static_cast<double>(totals.duplicates), 1'425.0, 6 * 38.0);
  EXPECT_NEAR(static_cast<double>(totals.malformed), 1'000.0, 6 * 32.0);
}

TEST(Simulator, CertainAndImpossibleProbabilitiesAreThat) {
  spec::Simulator certain = options(100);
  certain.duplicate_probability = 1.0;
  EXPECT_EQ(all_of(certain).size(), 200U);
  certain.gap_probability = 1.0;
  EXPECT_TRUE(all_of(certain).empty());
}

TEST(Simulator, ImpossibleOptionsAreConfigurationErrors) {
  const auto refused = [](const auto& change) {
    spec::Simulator wrong = options(1);
    change(wrong);
    EXPECT_THROW(Simulator(wrong, 0), ConfigError);
  };
  refused([](spec::Simulator& o) { o.sensors = 0; });
  refused([](spec::Simulator& o) { o.rate_per_s = 0.0; });
  refused([](spec::Simulator& o) { o.rate_per_s = std::numeric_limits<double>::quiet_NaN(); });
  refused([](spec::Simulator& o) { o.gap_probability = 1.5; });
  refused([](spec::Simulator& o) { o.duplicate_probability = -0.1; });
  refused([](spec::Simulator& o) { o.start = "yesterday"; });
}

spec::Source source_of(const spec::Simulator& options, spec::FormatKind format) {
  spec::Source source;
  source.kind = spec::SourceKind::simulator;
  source.format.kind = format;
  source.simulator = options;
  return source;
}

TEST(SimulatorSource, PushesTheSimulatorsLinesAndEnds) {
  Collector collector;
  const auto source = make_source(source_of(everything(), spec::FormatKind::json), "s", 1, collector, {});
  source->start();
  ASSERT_TRUE(eventually([&] { return collector.finishes() == 1; }));
  EXPECT_EQ(collector.text(), text_of(all_of(everything()), spec::FormatKind::json));
}

TEST(SimulatorSource, CsvBeginsWithTheHeaderWhereTheColumnsAreNotDeclared) {
  for (const bool declared : {false, true}) {
    Collector collector;
    spec::Source spec = source_of(options(3), spec::FormatKind::csv);
    if (declared) {
      spec.format.columns = {"t"};
    }
    const auto source = make_source(spec, "s", 1, collector, {});
    source->start();
    ASSERT_TRUE(eventually([&] { return collector.finishes() == 1; }));
    EXPECT_EQ(collector.text(),
              (declared ? "" : std::string(csv_header()) + "\n") + text_of(all_of(options(3)), spec::FormatKind::csv));
    EXPECT_TRUE(collector.all().front().starts_file);
  }
}

TEST(SimulatorSource, GoesOnAfterARestartWhereItWas) {
  spec::Source spec = source_of(everything(), spec::FormatKind::json);
  spec.simulator.count = 20'000;
  spec.simulator.start.clear();  // now: the position knows when that was
  Collector whole;
  {
    const auto source = make_source(spec, "s", 1, whole, {});
    source->start();
    ASSERT_TRUE(eventually([&] { return whole.finishes() == 1; }));
  }
  const std::vector<Received> blocks = whole.all();
  ASSERT_GT(blocks.size(), 2U);
  Collector rest;
  const auto source = make_source(spec, "s", 1, rest, blocks[0].position);
  source->start();
  ASSERT_TRUE(eventually([&] { return rest.finishes() == 1; }));
  EXPECT_EQ(blocks[0].payload + rest.text(), whole.text());
}

TEST(SimulatorSource, RealTimeIsPacedAndStopsAtOnce) {
  spec::Source spec = source_of(options(0), spec::FormatKind::json);
  spec.simulator.realtime = true;
  spec.simulator.start.clear();
  spec.simulator.rate_per_s = 1'000.0;
  Collector collector;
  const auto source = make_source(spec, "s", 1, collector, {});
  const std::int64_t begin = wall_clock_ns();
  source->start();
  ASSERT_TRUE(eventually([&] { return collector.count() >= 20; }));
  source->stop();
  const std::int64_t end = wall_clock_ns();
  const std::string text = collector.text();
  const auto readings = std::count(text.begin(), text.end(), '\n');
  EXPECT_LE(readings, (end - begin) / 1'000'000 + 1);  // never ahead of the clock
  EXPECT_EQ(collector.finishes(), 0);

  spec.simulator.rate_per_s = 0.001;
  const auto slow = make_source(spec, "s", 1, collector, {});
  slow->start();
  slow->stop();
}

}  // namespace
}  // namespace weir::source
