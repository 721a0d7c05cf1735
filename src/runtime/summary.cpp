#include "runtime/summary.hpp"

#include <fmt/format.h>

#include <iterator>

#include "batch/malformed.hpp"
#include "core/time_text.hpp"

namespace weir::runtime {
namespace {

void append_times(std::string& text, const Report::Stream& stream) {
  if (stream.arrival_time || (stream.ledger.received == 0 && !stream.times.any())) {
    return;
  }
  fmt::format_to(std::back_inserter(text), "stream {}: ", stream.name);
  if (stream.times.any()) {
    text += "event times ";
    append_rfc3339(text, stream.times.first);
    text += " .. ";
    append_rfc3339(text, stream.times.last);
  } else {
    text += "no event time was read";
  }
  text += '\n';
}

}  // namespace

std::string summary(const runtime::Report& report, double seconds) {
  std::string text;
  const auto out = std::back_inserter(text);
  std::uint64_t readings = 0;
  for (const runtime::Report::Stream& stream : report.streams) {
    const state::StreamLedger& ledger = stream.ledger;
    readings += ledger.received;
    fmt::format_to(out, "stream {}: {} received = {} delivered + {} duplicate + {} malformed + {} shed", stream.name,
                   ledger.received, ledger.delivered, ledger.duplicate, ledger.malformed_total(), ledger.shed);
    std::string_view separator = " (";
    for (std::size_t i = 0; i < ledger.malformed.size(); ++i) {
      if (ledger.malformed[i] > 0) {
        fmt::format_to(out, "{}{} {}", separator, name(static_cast<batch::Malformed>(i)), ledger.malformed[i]);
        separator = ", ";
      }
    }
    fmt::format_to(out, "{}; {} keys", separator == ", " ? ")" : "", stream.keys);
    if (ledger.rounded > 0) {
      fmt::format_to(out, "; {} values rounded", ledger.rounded);
    }
    if (ledger.shed > 0) {
      text += "; what was shed is counted in messages";
    }
    text += '\n';
    append_times(text, stream);
  }
  for (const runtime::Report::Query& query : report.queries) {
    const state::QueryLedger& ledger = query.ledger;
    fmt::format_to(out, "query {}: {} delivered = {} counted + {} filtered + {} late; {} windows, {} rows", query.name,
                   ledger.delivered, ledger.counted, ledger.filtered, ledger.late, ledger.windows, ledger.rows);
    if (ledger.revisions > 0) {
      fmt::format_to(out, ", {} revised", ledger.revisions);
    }
    text += '\n';
  }
  for (const runtime::Report::Sink& sink : report.sinks) {
    const state::SinkLedger& ledger = sink.ledger;
    if (sink.not_shown > 0) {
      fmt::format_to(out, "sink {}: {} more rows are not shown: rows = 0 shows all, and so does --rows 0 of a replay\n",
                     sink.name, sink.not_shown);
    }
    if (ledger.refused.empty()) {
      continue;
    }
    fmt::format_to(out, "sink {}: {} rows written, {} refused", sink.name, ledger.rows - ledger.refused_total(),
                   ledger.refused_total());
    std::string_view separator = " (";
    for (const auto& [reason, count] : ledger.refused) {
      fmt::format_to(out, "{}{} {}", separator, reason, count);
      separator = ", ";
    }
    text += ")\n";
  }
  fmt::format_to(out, "{} readings in", readings);
  if (seconds > 0) {
    fmt::format_to(out, " {:.1f} s", seconds);
    if (seconds >= 0.01) {
      fmt::format_to(out, " ({:.3g} M/s, {:.3g} MB/s)", static_cast<double>(readings) / seconds / 1e6,
                     static_cast<double>(report.payload_bytes) / seconds / 1e6);
    }
  }
  fmt::format_to(out, "; the ledger {}\n", report.balances() ? "balances" : "DOES NOT BALANCE");
  return text;
}

std::string why_nothing_was_delivered(const runtime::Report& report) {
  std::uint64_t received = 0;
  std::uint64_t commonest = 0;
  std::uint64_t unread = 0;
  std::string text;
  for (const runtime::Report::Stream& stream : report.streams) {
    const state::StreamLedger& ledger = stream.ledger;
    // What was shed or came twice was sound.
    if (ledger.delivered > 0 || ledger.duplicate > 0 || ledger.shed > 0) {
      return {};
    }
    received += ledger.received;
    for (std::size_t i = 0; i < ledger.malformed.size(); ++i) {
      // Rows that do not fit their header, and times that were read and not taken: that much could be read.
      const auto reason = static_cast<batch::Malformed>(i);
      const bool read = reason == batch::Malformed::wrong_columns || reason == batch::Malformed::future ||
                        (reason == batch::Malformed::bad_time && stream.times.any());
      unread += read ? 0 : ledger.malformed[i];
      if (ledger.malformed[i] > commonest) {
        commonest = ledger.malformed[i];
        text = fmt::format("most often {} ({} times, in stream '{}'); the log has the first one of each reason",
                           name(static_cast<batch::Malformed>(i)), commonest, stream.name);
      }
    }
  }
  return unread == 0 ? std::string() : fmt::format("none of {} readings could be delivered: {}", received, text);
}

}  // namespace weir::runtime
