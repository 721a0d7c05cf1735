#include "runtime/stream_identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace weir::runtime {
namespace {

std::string normal(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().string();
}

std::string numbers_text(const spec::Format& format) {
  std::string text = format.decimal == '.' ? "" : fmt::format(", decimal '{}'", format.decimal);
  return format.thousands.empty() ? text : text + fmt::format(", thousands '{}'", format.thousands);
}

std::string format_text(const spec::Format& format) {
  switch (format.kind) {
    case spec::FormatKind::json:
      return format.array_path.empty() ? "json" : fmt::format("json with array_path '{}'", format.array_path);
    case spec::FormatKind::csv: {
      std::string text = fmt::format("csv with separator '{}'", format.separator);
      if (!format.columns.empty()) {
        text += fmt::format(", columns {}", fmt::join(format.columns, " "));
      }
      text += format.header ? ", header" : "";
      text += format.comment == '\0' ? "" : fmt::format(", comment '{}'", format.comment);
      if (format.skip != 0 || format.skip_after_header != 0) {
        text += fmt::format(", skip {} and {}", format.skip, format.skip_after_header);
      }
      return text + numbers_text(format);
    }
    case spec::FormatKind::senml:
      return "senml";
    case spec::FormatKind::raw:
      return "raw";
    case spec::FormatKind::line:
      return format.measurements.empty() ? "line"
                                         : fmt::format("line of measurement {}", fmt::join(format.measurements, " "));
  }
  return {};
}

std::string encoding_text(spec::TextEncoding encoding) {
  constexpr std::array<std::string_view, 5> kNames{"", " in utf-8", " in utf-16le", " in utf-16be", " in latin1"};
  return std::string(kNames.at(static_cast<std::size_t>(encoding)));
}

SourceIdentity identity_of(const spec::Source& source) {
  const std::string format = format_text(source.format) + encoding_text(source.encoding);
  switch (source.kind) {
    case spec::SourceKind::mqtt:
      return {fmt::format("mqtt broker '{}'", source.broker),
              fmt::format("topics {}, {}", fmt::join(source.topics, " "), format), false};
    case spec::SourceKind::file:
      return {source.paths.empty() ? fmt::format("file '{}'", normal(source.path))
                                   : fmt::format("files '{}'", fmt::join(source.paths, "' '")),
              format, true};
    case spec::SourceKind::directory:
      return {fmt::format("directory '{}'", normal(source.path + "/")),
              fmt::format("files '{}', {}", source.pattern, format), true};
    case spec::SourceKind::standard_input:
      return {"standard input", format, false};
    case spec::SourceKind::tcp:
      return {fmt::format("tcp {}:{}", source.host, source.port), format, false};
    case spec::SourceKind::simulator: {
      const spec::Simulator& simulator = source.simulator;
      return {fmt::format("simulator with seed {}, {} sensors, {} readings/s, disorder {} ns, probabilities {} {} {}, "
                          "start '{}'",
                          simulator.seed, simulator.sensors, simulator.rate_per_s, simulator.disorder.count(),
                          simulator.gap_probability, simulator.duplicate_probability, simulator.malformed_probability,
                          simulator.start),
              format, true};
    }
    case spec::SourceKind::custom:
      return {"receiver", format, false};
  }
  return {};
}

std::string time_text(const spec::Time& time) {
  if (time.arrival) {
    return "time arrival";
  }
  constexpr std::array<std::string_view, 7> kUnits{"auto", "s", "ms", "us", "ns", "rfc3339", "format"};
  std::string text = fmt::format("time '{}' as {}{}", time.field, kUnits.at(static_cast<std::size_t>(time.unit)),
                                 time.format.empty() ? "" : " '" + time.format + "'");
  for (const std::string& field : time.more_fields) {
    text += fmt::format(" and '{}'", field);
  }
  for (const std::string& format : time.more_formats) {
    text += fmt::format(" or '{}'", format);
  }
  text += fmt::format(" in zone {}", time.zone);
  constexpr std::array<std::string_view, 3> kOverlaps{"", ", overlap second", ", overlap order"};
  text += kOverlaps.at(static_cast<std::size_t>(time.overlap));
  return time.gap == Gap::refused ? text + ", gap malformed" : text;
}

/// The first word says what it is about.
std::string_view subject(std::string_view text) {
  return text.substr(0, text.find(' '));
}

std::string change(const std::string& what, const std::string& before, const std::string& now) {
  return fmt::format("{} was {}, is {}", what, before, now);
}

void compare_meaning(const std::string& stream, const StreamIdentity& saved, const StreamIdentity& now,
                     IdentityChanges& changes) {
  for (const std::string& text : now.meaning) {
    const auto before = std::find_if(saved.meaning.begin(), saved.meaning.end(),
                                     [&](const std::string& other) { return subject(other) == subject(text); });
    if (before != saved.meaning.end() && *before != text) {
      changes.refused.push_back(change(fmt::format("stream '{}'", stream), *before, text));
    }
  }
}

}  // namespace

StreamIdentity identity_of(const spec::Stream& stream, const std::string& journal) {
  StreamIdentity identity;
  std::string keys = "keys";
  for (const spec::Key& key : stream.schema.keys) {
    keys += fmt::format(" {}{}", key.name, key.path.empty() ? "" : " at " + key.path);
  }
  std::string fields = "fields";
  for (const spec::Field& field : stream.schema.fields) {
    fields += fmt::format(" {}:{}{}{}{}{}", field.name, field.places, field.path.empty() ? "" : " at " + field.path,
                          field.required ? " (required)" : "", field.is_switch ? " (bool)" : "",
                          field.strip_unit ? " (strip_unit)" : "");
  }
  identity.meaning = {keys, fields, time_text(stream.time),
                      fmt::format("out_of_order {}", to_string(stream.out_of_order))};
  if (stream.dedupe) {
    identity.meaning.push_back("dedupe by " + (stream.sequence.empty() ? std::string("event time") : stream.sequence));
  }
  if (!journal.empty()) {
    identity.sources.push_back({fmt::format("journal '{}'", normal(journal)), "as it was received", true});
    return identity;
  }
  for (const spec::Source& source : stream.sources) {
    identity.sources.push_back(identity_of(source));
  }
  return identity;
}

void save_identity(const StreamIdentity& identity, state::Writer& out) {
  out.u64(identity.meaning.size());
  for (const std::string& text : identity.meaning) {
    out.text(text);
  }
  out.u64(identity.sources.size());
  for (const SourceIdentity& source : identity.sources) {
    out.text(source.place);
    out.text(source.meaning);
    out.u8(source.has_position ? 1 : 0);
  }
}

StreamIdentity read_identity(state::Reader& in) {
  StreamIdentity identity;
  for (std::uint64_t left = in.count(8); left > 0; --left) {
    identity.meaning.emplace_back(in.text());
  }
  for (std::uint64_t left = in.count(8); left > 0; --left) {
    SourceIdentity& source = identity.sources.emplace_back();
    source.place = in.text();
    source.meaning = in.text();
    source.has_position = in.u8() != 0;
  }
  return identity;
}

IdentityChanges compare(const std::string& stream, const StreamIdentity& saved, const StreamIdentity& now) {
  IdentityChanges changes;
  compare_meaning(stream, saved, now, changes);
  if (saved.sources.size() != now.sources.size()) {
    changes.refused.push_back(
        fmt::format("stream '{}' had {} sources, has {}", stream, saved.sources.size(), now.sources.size()));
    return changes;
  }
  for (std::size_t i = 0; i < now.sources.size(); ++i) {
    const SourceIdentity& before = saved.sources[i];
    const SourceIdentity& after = now.sources[i];
    if (before == after) {
      continue;
    }
    const std::string what = fmt::format("source {} of stream '{}'", i + 1, stream);
    const bool same_meaning = before.meaning == after.meaning;
    const bool same_place = before.place == after.place;
    std::string line = same_meaning ? change(what, before.place, after.place)
                       : same_place ? change(what, before.meaning, after.meaning)
                                    : change(what, before.place + " (" + before.meaning + ")",
                                             after.place + " (" + after.meaning + ")");
    if (before.has_position || after.has_position) {
      changes.refused.push_back(std::move(line));
    } else if (same_meaning) {
      changes.harmless.push_back(std::move(line));
    } else {
      changes.unread.push_back(std::move(line));
      changes.reset.push_back(i);
    }
  }
  return changes;
}

}  // namespace weir::runtime
