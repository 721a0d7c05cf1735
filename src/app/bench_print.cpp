#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/bench.hpp"

namespace weir::app {

double median(std::vector<double> values) {
  if (values.empty()) {
    return 0.0;
  }
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0.0;
  const auto rank = static_cast<std::ptrdiff_t>(std::ceil(q * static_cast<double>(values.size())));
  const auto at = values.begin() + std::max<std::ptrdiff_t>(rank, 1) - 1;
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

void print(const BenchOptions& options, const Measurement& m) {
  if (options.json) {
    fmt::print(R"({{"benchmark":"{}","case":"{}","threads":{},"readings_per_s":{:.6g})", m.benchmark, m.name, m.threads,
               m.readings_per_s);
    if (m.bytes_per_s > 0) {
      fmt::print(R"(,"bytes_per_s":{:.6g})", m.bytes_per_s);
    }
    if (!m.reference.empty()) {
      fmt::print(R"(,"reference":"{}","reference_readings_per_s":{:.6g},"ratio":{:.4g})", m.reference,
                 m.reference_per_s, m.ratio);
    }
    if (m.p50_s > 0) fmt::print(R"(,"p50_s":{:.6g},"p99_s":{:.6g})", m.p50_s, m.p99_s);
    fmt::print("}}\n");
  } else {
    fmt::print("{:<8} {:<34} {:>2} thread{} {:>10.4g} M readings/s", m.benchmark, m.name, m.threads,
               m.threads == 1 ? " " : "s", m.readings_per_s / 1e6);
    if (m.bytes_per_s > 0) {
      fmt::print(" {:>8.4g} MB/s", m.bytes_per_s / 1e6);
    }
    if (!m.reference.empty()) {
      fmt::print("   {:>5.1f} % of {} ({:.4g} M/s)", m.ratio * 100, m.reference, m.reference_per_s / 1e6);
    }
    if (m.p50_s > 0) fmt::print("   p50 {:.4g} ms, p99 {:.4g} ms", m.p50_s * 1e3, m.p99_s * 1e3);
    fmt::print("\n");
  }
  std::fflush(stdout);
}

}  // namespace weir::app
