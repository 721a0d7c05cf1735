#include "oracle/oracle.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "oracle/exact_numbers.hpp"

namespace weir::oracle {
namespace {

std::int64_t floor_multiple(std::int64_t a, std::int64_t step) {
  std::int64_t quotient = a / step;
  if (a % step != 0 && a < 0) --quotient;
  return quotient * step;
}

cpp_int power_of_ten(int exponent) {
  cpp_int result = 1;
  for (int i = 0; i < exponent; ++i) {
    result *= 10;
  }
  return result;
}

using Group = std::vector<std::string>;

/// A value of one reading.
struct Sample {
  std::int64_t time;
  std::int64_t units;
};

Value exact(const cpp_int& units, int places) {
  Value value;
  value.kind = Value::Kind::exact;
  value.units = static_cast<Int>(units);
  value.approximately = nearest_quotient(units, power_of_ten(places));
  return value;
}

Value real(double number) {
  Value value;
  value.kind = Value::Kind::real;
  value.real = number;
  value.approximately = number;
  return value;
}

Value spread(const std::vector<Sample>& samples, bool sample_divisor, bool root, int places) {
  const auto n = static_cast<std::int64_t>(samples.size());
  const std::int64_t divisor = sample_divisor ? n - 1 : n;
  if (divisor == 0) return {};
  cpp_int sum = 0;
  cpp_int squares = 0;
  for (const Sample& sample : samples) {
    sum += sample.units;
    squares += cpp_int(sample.units) * sample.units;
  }
  const cpp_int numerator = squares * n - sum * sum;
  const cpp_int denominator = cpp_int(n) * divisor * power_of_ten(2 * places);
  return real(root ? nearest_square_root(numerator, denominator) : nearest_quotient(numerator, denominator));
}

/// Within 1 % of the value at the nearest rank; a rank more or less, for q·n may round either way.
Value quantile(const std::vector<Sample>& samples, double q, int places) {
  std::vector<std::int64_t> sorted;
  for (const Sample& sample : samples) {
    sorted.push_back(sample.units);
  }
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<std::int64_t>(sorted.size());
  const auto rank = static_cast<std::int64_t>(std::ceil(q * static_cast<double>(n)));
  const auto at = [&](std::int64_t r) {
    return static_cast<Int>(sorted[static_cast<std::size_t>(std::clamp<std::int64_t>(r, 1, n) - 1)]);
  };
  const auto error = [](Int units) { return (units < 0 ? -units : units) / 100; };
  Value value;
  value.kind = Value::Kind::between;
  const Int below = at(rank - 1);
  const Int above = at(rank + 1);
  value.low = std::max<Int>(below - error(below), sorted.front());
  value.high = std::min<Int>(above + error(above), sorted.back());
  value.approximately = nearest_quotient(cpp_int(at(rank)), power_of_ten(places));
  return value;
}

/// Three standard errors of 1.6 %, and never less than one.
Value distinct(const std::vector<const Reading*>& readings, std::size_t key) {
  std::set<std::string> seen;
  for (const Reading* reading : readings) {
    seen.insert(reading->keys[key]);
  }
  const auto n = static_cast<Int>(seen.size());
  const Int error = n == 0 ? 0 : std::max<Int>(1, n * 48 / 1000);
  Value value;
  value.kind = Value::Kind::between;
  value.low = n - error;
  value.high = n + error;
  value.approximately = static_cast<double>(seen.size());
  return value;
}

Value compute(const Aggregate& aggregate, const std::vector<const Reading*>& readings) {
  if (aggregate.function == Function::count && !aggregate.argument) return exact(cpp_int(readings.size()), 0);
  if (aggregate.function == Function::distinct) return distinct(readings, aggregate.key);
  std::vector<Sample> samples;
  for (const Reading* reading : readings) {
    if (const auto units = aggregate.argument(*reading)) samples.push_back({reading->time, *units});
  }
  if (aggregate.function == Function::count) return exact(cpp_int(samples.size()), 0);
  if (samples.empty()) return {};
  const int places = aggregate.places;
  cpp_int sum = 0;
  for (const Sample& sample : samples) {
    sum += sample.units;
  }
  const auto by_units = [](const Sample& a, const Sample& b) { return a.units < b.units; };
  const auto by_time = [](const Sample& a, const Sample& b) {
    return a.time != b.time ? a.time < b.time : a.units < b.units;
  };
  const auto [smallest, largest] = std::minmax_element(samples.begin(), samples.end(), by_units);
  switch (aggregate.function) {
    case Function::sum:
      return exact(sum, places);
    case Function::avg:
      return real(nearest_quotient(sum, power_of_ten(places) * samples.size()));
    case Function::min:
      return exact(smallest->units, places);
    case Function::max:
      return exact(largest->units, places);
    case Function::range:
      return exact(cpp_int(largest->units) - smallest->units, places);
    case Function::first:
      return exact(std::min_element(samples.begin(), samples.end(), by_time)->units, places);
    case Function::last:
      return exact(std::max_element(samples.begin(), samples.end(), by_time)->units, places);
    case Function::stddev:
      return spread(samples, true, true, places);
    case Function::stddev_pop:
      return spread(samples, false, true, places);
    case Function::variance:
      return spread(samples, true, false, places);
    case Function::variance_pop:
      return spread(samples, false, false, places);
    case Function::quantile:
      return quantile(samples, aggregate.quantile, places);
    case Function::count:
    case Function::distinct:
      break;
  }
  return {};
}

class Run {
 public:
  Run(const Query& query, std::size_t sources, std::int64_t out_of_order)
      : query_(query), out_of_order_(out_of_order), newest_(sources), counts_(sources, true) {}

  void take(const Event& event) {
    switch (event.kind) {
      case Event::Kind::reading:
        take(event.reading);
        break;
      case Event::Kind::source_idle:
      case Event::Kind::source_finished:
        counts_[event.source] = false;
        follow_sources();
        break;
      case Event::Kind::watermark:
        lift(event.instant);
        break;
      case Event::Kind::interval_end:
        end_interval(event.instant);
        break;
    }
  }

  void finish() {
    if (query_.per_batch) return;
    emit_revisions();
    std::set<std::int64_t> ends;
    for (const Counted& counted : readings_) {
      for (const std::int64_t end : ends_of(counted.reading.time)) {
        if (!closed_ || end > *closed_) ends.insert(end);
      }
    }
    if (ends.empty()) return;
    if (!closed_) closed_ = *ends.begin() - query_.slide;
    close_until(*ends.rbegin());
  }

  Answer answer;

 private:
  using Marked = std::pair<std::int64_t, Group>;
  struct Counted {
    Reading reading;
    const Group* group;
  };

  [[nodiscard]] std::vector<std::int64_t> ends_of(std::int64_t time) const {
    std::vector<std::int64_t> ends;
    for (std::int64_t end = floor_multiple(time, query_.slide) + query_.slide; end - query_.window <= time;
         end += query_.slide) {
      ends.push_back(end);
    }
    return ends;
  }

  void count(const Reading& reading) {
    ++answer.counted;
    Group group;
    for (const std::size_t key : query_.group_keys) {
      group.push_back(reading.keys[key]);
    }
    readings_.push_back({reading, &*groups_.insert(std::move(group)).first});
  }

  using ByGroup = std::map<Group, std::vector<const Reading*>>;

  /// The counted readings that `belongs` chooses.
  template <class Belongs>
  [[nodiscard]] ByGroup by_group(const Belongs& belongs) const {
    std::map<const Group*, std::vector<const Reading*>> found;
    for (const Counted& counted : readings_) {
      if (belongs(counted)) found[counted.group].push_back(&counted.reading);
    }
    ByGroup groups;
    for (auto& [group, readings] : found) {
      groups[*group] = std::move(readings);
    }
    return groups;
  }

  void take(const Reading& reading) {
    const std::size_t number = arrived_++;
    if (!counts_[reading.source]) {
      counts_[reading.source] = true;
      follow_sources();
    }
    judge(reading, number);
    auto& newest = newest_[reading.source];
    newest = newest ? std::max(*newest, reading.time) : reading.time;
    follow_sources();
  }

  void judge(const Reading& reading, std::size_t number) {
    if (query_.where && !query_.where(reading)) {
      ++answer.filtered;
      return;
    }
    if (query_.per_batch) {
      count(reading);
      return;
    }
    const std::vector<std::int64_t> ends = ends_of(reading.time);
    if (ends.empty()) {
      ++answer.filtered;
      return;
    }
    if (watermark_ && ends.back() + query_.allowed_lateness <= *watermark_) {
      ++answer.late;
      answer.late_readings.push_back(number);
      return;
    }
    count(reading);
    for (const std::int64_t end : ends) {
      if (closed_ && end <= *closed_ && end + query_.allowed_lateness > *watermark_) {
        marked_.insert({end, *readings_.back().group});
      }
    }
  }

  void follow_sources() {
    std::optional<std::int64_t> smallest;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (!counts_[i]) continue;
      if (!newest_[i]) return;
      smallest = smallest ? std::min(*smallest, *newest_[i] - out_of_order_) : *newest_[i] - out_of_order_;
    }
    if (smallest) lift(*smallest);
  }

  void lift(std::int64_t instant) {
    if (watermark_ && instant <= *watermark_) return;
    watermark_ = instant;
    if (query_.per_batch) return;
    const std::int64_t end = floor_multiple(instant, query_.slide);
    if (!closed_) {
      closed_ = end;
      for (const Counted& counted : readings_) {
        closed_ = std::min(*closed_, ends_of(counted.reading.time).front() - query_.slide);
      }
    }
    if (end > *closed_) {
      emit_revisions();
      close_until(end);
    }
  }

  void close_until(std::int64_t last) {
    std::set<std::int64_t> ends;
    for (const Counted& counted : readings_) {
      for (const std::int64_t end : ends_of(counted.reading.time)) {
        if (end <= last && (!closed_ || end > *closed_)) ends.insert(end);
      }
    }
    if (query_.emit_empty && query_.group_keys.empty() && closed_) {
      for (std::int64_t end = *closed_ + query_.slide; end <= last; end += query_.slide) {
        if (some_window_had_readings_ || (!ends.empty() && end >= *ends.begin())) ends.insert(end);
      }
    }
    for (const std::int64_t end : ends) {
      emit_window(end);
    }
    closed_ = closed_ ? std::max(*closed_, last) : last;
    forget();
  }

  /// Only for speed: what no window can ask for any more.
  void forget() {
    if (!watermark_) return;
    const std::int64_t needed =
        std::min(*closed_, floor_multiple(*watermark_ - query_.allowed_lateness, query_.slide)) + query_.slide -
        query_.window;
    std::erase_if(readings_, [&](const Counted& counted) { return counted.reading.time < needed; });
  }

  [[nodiscard]] bool in_window(const Counted& counted, std::int64_t end) const {
    return counted.reading.time >= end - query_.window && counted.reading.time < end;
  }

  void emit_window(std::int64_t end) {
    ByGroup groups = by_group([&](const Counted& counted) { return in_window(counted, end); });
    if (groups.empty()) {
      groups[{}];
    } else {
      some_window_had_readings_ = true;
    }
    for (const auto& [group, readings] : groups) {
      emit(end, 0, group, readings);
    }
  }

  void emit_revisions() {
    for (const Marked& row : marked_) {
      const ByGroup groups = by_group(
          [&](const Counted& counted) { return in_window(counted, row.first) && *counted.group == row.second; });
      emit(row.first, ++revision_of_[row], row.second, groups.at(row.second));
    }
    marked_.clear();
  }

  void end_interval(std::int64_t end) {
    if (!query_.per_batch) return;
    ByGroup groups = by_group([](const Counted&) { return true; });
    const bool shows_empty = query_.emit_empty && query_.group_keys.empty();
    if (shows_empty && interval_end_) {
      for (std::int64_t skipped = *interval_end_ + query_.slide; skipped < end; skipped += query_.slide) {
        emit(skipped, 0, {}, {});
      }
    }
    if (groups.empty() && shows_empty) groups[{}];
    for (const auto& [group, readings] : groups) {
      emit(end, 0, group, readings);
    }
    readings_.clear();
    interval_end_ = end;
  }

  void emit(std::int64_t end, std::uint32_t revision, const Group& group, const std::vector<const Reading*>& readings) {
    Row row{end - query_.window, end, revision, group, {}};
    for (const Aggregate& aggregate : query_.aggregates) {
      row.values.push_back(compute(aggregate, readings));
    }
    if (!query_.having || query_.having(row)) answer.rows.push_back(std::move(row));
  }

  const Query& query_;
  std::int64_t out_of_order_;
  std::vector<std::optional<std::int64_t>> newest_;
  std::vector<bool> counts_;
  std::optional<std::int64_t> watermark_;
  std::optional<std::int64_t> closed_;  ///< windows that end here or before are closed
  std::optional<std::int64_t> interval_end_;
  bool some_window_had_readings_ = false;
  std::size_t arrived_ = 0;
  std::vector<Counted> readings_;
  std::set<Group> groups_;  ///< every group met; readings point to them
  std::set<Marked> marked_;
  std::map<Marked, std::uint32_t> revision_of_;
};

}  // namespace

Answer run(const Query& query, std::size_t sources, std::int64_t out_of_order, const std::vector<Event>& events,
           bool end_of_input) {
  Run run(query, sources, out_of_order);
  for (const Event& event : events) {
    run.take(event);
  }
  if (end_of_input) run.finish();
  return std::move(run.answer);
}

}  // namespace weir::oracle
