// Aggregates over the readings of a group and window.
#pragma once

#include <string>
#include <utility>

namespace weir {

/// One output column, e.g. avg("temperature").as("mean").
struct Aggregate {
  std::string text;   ///< as in the configuration's `select`
  std::string alias;  ///< column name; empty: the text

  [[nodiscard]] Aggregate as(std::string name) const { return {text, std::move(name)}; }
};

inline Aggregate count() {
  return {"count()", {}};
}
inline Aggregate count(const std::string& value) {
  return {"count(" + value + ")", {}};
}
inline Aggregate sum(const std::string& value) {
  return {"sum(" + value + ")", {}};
}
inline Aggregate avg(const std::string& value) {
  return {"avg(" + value + ")", {}};
}
inline Aggregate min(const std::string& value) {
  return {"min(" + value + ")", {}};
}
inline Aggregate max(const std::string& value) {
  return {"max(" + value + ")", {}};
}
inline Aggregate range(const std::string& value) {
  return {"range(" + value + ")", {}};
}
/// By event time; equal times are settled by the smaller (first) or larger (last) value.
inline Aggregate first(const std::string& value) {
  return {"first(" + value + ")", {}};
}
inline Aggregate last(const std::string& value) {
  return {"last(" + value + ")", {}};
}
/// Sample standard deviation and variance; *_pop: of the population.
inline Aggregate stddev(const std::string& value) {
  return {"stddev(" + value + ")", {}};
}
inline Aggregate stddev_pop(const std::string& value) {
  return {"stddev_pop(" + value + ")", {}};
}
inline Aggregate variance(const std::string& value) {
  return {"variance(" + value + ")", {}};
}
inline Aggregate variance_pop(const std::string& value) {
  return {"variance_pop(" + value + ")", {}};
}
/// @param q 0 … 1, as text or number: quantile("load", "0.99")
inline Aggregate quantile(const std::string& value, const std::string& q) {
  return {"quantile(" + value + ", " + q + ")", {}};
}
/// Estimated number of different values of a key.
inline Aggregate distinct(const std::string& key) {
  return {"distinct(" + key + ")", {}};
}

}  // namespace weir
