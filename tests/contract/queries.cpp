#include "contract/queries.hpp"

#include <cmath>

namespace weir::contract {
namespace {

using oracle::Aggregate;
using oracle::Function;
using oracle::Reading;

constexpr std::size_t kHouse = 0;
constexpr std::size_t kHousehold = 1;
constexpr std::size_t kPlug = 2;

std::optional<std::int64_t> load(const Reading& reading) {
  return reading.fields[0];
}
std::optional<std::int64_t> temp(const Reading& reading) {
  return reading.fields[1];
}

double load_number(const Reading& reading) {
  return static_cast<double>(*reading.fields[0]) / 1000.0;
}

/// let f = load * 9 / 5 + 32, kept with six places; null where that does not fit 64 bits.
double derived_number(const Reading& reading) {
  const volatile double product = load_number(reading) * 9.0;
  const volatile double quotient = product / 5.0;
  return quotient + 32.0;
}

std::optional<std::int64_t> derived(const Reading& reading) {
  const double units = std::nearbyint(derived_number(reading) * 1e6);
  if (std::fabs(units) >= 0x1p63) return std::nullopt;
  return static_cast<std::int64_t>(units);
}

Aggregate of_load(Function function, double q = 0.0) {
  return {function, load, 3, q, 0};
}
Aggregate of_temp(Function function, double q = 0.0) {
  return {function, temp, 2, q, 0};
}
Aggregate of_derived(Function function) {
  return {function, derived, 6, 0.0, 0};
}
Aggregate count() {
  return {Function::count, {}, 0, 0.0, 0};
}
Aggregate distinct(std::size_t key) {
  return {Function::distinct, {}, 0, 0.0, key};
}

QueryCase named(std::string name) {
  QueryCase query;
  query.name = name;
  query.spec.name = std::move(name);
  return query;
}

}  // namespace

QueryCase QueryCase::with(std::int64_t window, std::int64_t slide, std::int64_t allowed_lateness) const {
  QueryCase query = *this;
  query.spec.window = Duration(window);
  query.spec.slide = Duration(slide);
  query.spec.allowed_lateness = Duration(allowed_lateness);
  query.expected.window = window;
  query.expected.slide = slide;
  query.expected.allowed_lateness = allowed_lateness;
  return query;
}

QueryCase every_aggregate() {
  QueryCase query = named("every_aggregate");
  query.spec.group_by = {"plug"};
  query.spec.select = {"count()",
                       "sum(load)",
                       "avg(load)",
                       "min(load)",
                       "max(load)",
                       "first(load)",
                       "last(load)",
                       "stddev(load)",
                       "stddev_pop(load)",
                       "variance(load)",
                       "variance_pop(load)",
                       "range(load)",
                       "quantile(load, 0.9) as p90",
                       "distinct(household)",
                       "count(temp)",
                       "avg(temp)",
                       "first(temp)",
                       "last(temp)",
                       "stddev(temp)",
                       "quantile(temp, 0.5) as median",
                       "distinct(plug)"};
  query.expected.group_keys = {kPlug};
  query.expected.aggregates = {count(),
                               of_load(Function::sum),
                               of_load(Function::avg),
                               of_load(Function::min),
                               of_load(Function::max),
                               of_load(Function::first),
                               of_load(Function::last),
                               of_load(Function::stddev),
                               of_load(Function::stddev_pop),
                               of_load(Function::variance),
                               of_load(Function::variance_pop),
                               of_load(Function::range),
                               of_load(Function::quantile, 0.9),
                               distinct(kHousehold),
                               of_temp(Function::count),
                               of_temp(Function::avg),
                               of_temp(Function::first),
                               of_temp(Function::last),
                               of_temp(Function::stddev),
                               of_temp(Function::quantile, 0.5),
                               distinct(kPlug)};
  return query;
}

QueryCase filtered_and_derived() {
  QueryCase query = named("filtered_and_derived");
  query.spec.where = "load >= 0 and temp < 60";
  query.spec.let = {{"f", "load * 9 / 5 + 32", 6, 0}};
  query.spec.group_by = {"household", "house"};
  query.spec.select = {"max(f) as peak", "sum(f)", "avg(f)", "min(temp)"};
  query.spec.having = "count() >= 2 and max(load) > 10";
  query.expected.where = [](const Reading& reading) {
    return load_number(reading) >= 0.0 && reading.fields[1] && static_cast<double>(*reading.fields[1]) / 100.0 < 60.0;
  };
  query.expected.group_keys = {kHousehold, kHouse};
  query.expected.aggregates = {
      of_derived(Function::max), of_derived(Function::sum), of_derived(Function::avg), of_temp(Function::min), count(),
      of_load(Function::max)};
  query.expected.having = [](const oracle::Row& row) {
    return row.values[4].approximately >= 2.0 && row.values[5].approximately > 10.0;
  };
  return query;
}

QueryCase key_tests() {
  QueryCase query = named("key_tests");
  query.spec.where = "plug != 'p1' or house == 'h0'";
  query.spec.group_by = {"house", "plug"};
  query.spec.select = {"count()", "sum(temp)", "last(load)"};
  query.spec.having = "house <= 'h1'";
  query.expected.where = [](const Reading& reading) {
    return reading.keys[kPlug] != "p1" || reading.keys[kHouse] == "h0";
  };
  query.expected.group_keys = {kHouse, kPlug};
  query.expected.aggregates = {count(), of_temp(Function::sum), of_load(Function::last)};
  query.expected.having = [](const oracle::Row& row) { return row.group[0] <= "h1"; };
  return query;
}

QueryCase total() {
  QueryCase query = named("total");
  query.spec.where = "load > -500";
  query.spec.select = {"count()", "sum(load)", "max(temp)", "distinct(plug)", "stddev(load)"};
  query.spec.emit_empty = true;
  query.expected.where = [](const Reading& reading) { return load_number(reading) > -500.0; };
  query.expected.emit_empty = true;
  query.expected.aggregates = {count(), of_load(Function::sum), of_temp(Function::max), distinct(kPlug),
                               of_load(Function::stddev)};
  return query;
}

QueryCase count_by_sensor() {
  QueryCase query = named("count_by_sensor");
  query.spec.group_by = {"house", "household", "plug"};
  query.spec.select = {"count()", "sum(load)"};
  query.expected.group_keys = {kHouse, kHousehold, kPlug};
  query.expected.aggregates = {count(), of_load(Function::sum)};
  return query;
}

std::vector<QueryCase> all_queries() {
  return {every_aggregate(), filtered_and_derived(), key_tests(), total(), count_by_sensor()};
}

}  // namespace weir::contract
