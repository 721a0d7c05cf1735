#include "plan/intervals.hpp"

#include <fmt/format.h>

#include <limits>
#include <numeric>
#include <optional>
#include <string>

namespace weir::plan {
namespace {

// Half of what 64 bits hold, so that a window around any instant that is read can be computed with.
constexpr std::int64_t kMaxInterval = std::numeric_limits<std::int64_t>::max() / 4;

std::string text(std::int64_t ns) {
  return to_string(Duration(ns));
}

/// The multiples of `unit` around `value`: "2s or 3s".
std::string nearest_multiples(std::int64_t value, std::int64_t unit) {
  const std::int64_t below = value / unit * unit;
  return below == 0 ? text(unit) : fmt::format("{} or {}", text(below), text(below + unit));
}

/// The slide nearest to `slide` that makes at most kMaxPanes panes: a multiple of a divisor of the window that is not
/// too small. `unit`: slides must be multiples of it, as the window is.
std::int64_t nearest_slide(std::int64_t window, std::int64_t slide, std::int64_t unit) {
  std::int64_t best = window;
  for (std::int64_t panes = 1; panes <= kMaxPanes; ++panes) {
    if (window % panes != 0 || (window / panes) % unit != 0) {
      continue;
    }
    const std::int64_t pane = window / panes;
    const std::int64_t below = slide / pane * pane;
    for (const std::int64_t candidate : {below, below + pane}) {
      if (candidate > 0 && std::abs(candidate - slide) < std::abs(best - slide)) {
        best = candidate;
      }
    }
  }
  return best;
}

}  // namespace

void plan_intervals(QueryPlan& query, Duration batch_interval, bool arrival, Diagnostics& diagnostics) {
  const spec::Query& spec = query.spec;
  const std::int64_t batch = batch_interval.count();
  const std::int64_t window = spec.window.count();
  const std::int64_t slide = spec.slide.count() == 0 ? window : spec.slide.count();  // tumbling
  const int window_line = spec.window_line != 0 ? spec.window_line : spec.line;
  const int slide_line = spec.slide_line != 0 ? spec.slide_line : spec.line;
  const std::size_t mistakes = diagnostics.size();
  const auto mistake = [&](int line, const std::string& message, const std::string& suggestion) {
    diagnostics.add(line, fmt::format("query '{}': {}", spec.name, message), suggestion);
  };
  query.allowed_lateness_ns = spec.allowed_lateness.count();

  for (const auto& [name, value, line] :
       {std::tuple("window", window, window_line), std::tuple("slide", spec.slide.count(), slide_line),
        std::tuple("allowed_lateness", query.allowed_lateness_ns, spec.line)}) {
    if (value < 0 || value > kMaxInterval) {
      mistake(line, fmt::format("'{}' must be between 0s and {}", name, text(kMaxInterval)), {});
    }
  }
  if (diagnostics.size() != mistakes || batch <= 0) {
    return;
  }
  if (window == 0) {
    if (spec.slide.count() != 0) {
      mistake(slide_line, fmt::format("'slide' = {} without 'window'", text(spec.slide.count())),
              "add window, or leave out slide to evaluate the query per batch interval");
      return;
    }
    query.per_batch = true;
    query.window_ns = query.slide_ns = query.pane_ns = batch;
    return;
  }
  if (arrival) {
    if (window % batch != 0) {
      mistake(window_line,
              fmt::format("window {} is no multiple of the batch interval {}, as it must be where time is arrival",
                          text(window), text(batch)),
              fmt::format("the nearest valid windows: {}", nearest_multiples(window, batch)));
    }
    if (spec.slide.count() != 0 && slide % batch != 0) {
      mistake(slide_line,
              fmt::format("slide {} is no multiple of the batch interval {}, as it must be where time is arrival",
                          text(slide), text(batch)),
              fmt::format("the nearest valid slides: {}", nearest_multiples(slide, batch)));
    }
    if (diagnostics.size() != mistakes) {
      return;
    }
  }
  const std::int64_t pane = std::gcd(window, slide);
  if (window / pane > kMaxPanes) {
    mistake(slide_line,
            fmt::format("window {} with slide {} makes {} panes a window, more than {}", text(window), text(slide),
                        window / pane, kMaxPanes),
            fmt::format("the nearest valid slide: {}", text(nearest_slide(window, slide, arrival ? batch : 1))));
    return;
  }
  query.window_ns = window;
  query.slide_ns = slide;
  query.pane_ns = pane;
}

}  // namespace weir::plan
