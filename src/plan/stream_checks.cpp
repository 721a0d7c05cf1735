#include "plan/stream_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "core/decimal.hpp"
#include "core/spelling.hpp"
#include "plan/compile.hpp"
#include "plan/lexer.hpp"

namespace weir::plan {
namespace {

constexpr const char* kNameAdvice =
    "use letters, digits and '_', not beginning with a digit; the name in the payload is 'path'";

class StreamChecker {
 public:
  StreamChecker(const spec::Stream& stream, Diagnostics& diagnostics)
      : stream_(stream), diagnostics_(diagnostics), what_(fmt::format("stream '{}'", stream.name)) {}

  void run() {
    schema();
    values();
    time();
    durations();
    dedupe();
    if (stream_.max_keys == 0) {
      mistake("'max_keys' must be at least 1");
    }
    if (stream_.max_key_bytes == 0) {
      mistake("'max_key_bytes' must be at least 1");
    }
    if (stream_.max_remembered == 0) {
      mistake("'max_remembered' must be at least 1");
    }
    if (stream_.sources.empty() && known(stream_, {"source", "sources"})) {
      mistake("no source", "add source = { type = \"…\" }");
    }
    for (std::size_t i = 0; i < stream_.sources.size(); ++i) {
      check_source(stream_, stream_.sources[i], source_name(stream_, i), diagnostics_);
    }
  }

 private:
  void mistake(const std::string& message, const std::string& suggestion = {}) {
    diagnostics_.add(stream_.line, what_ + ": " + message, suggestion);
  }

  void name(std::string_view kind, const std::string& name, std::set<std::string>& seen) {
    if (!is_name(name) || is_reserved_word(name)) {
      mistake(fmt::format("{} '{}' is no name", kind, name), kNameAdvice);
    } else if (!seen.insert(name).second) {
      mistake(fmt::format("two keys or fields are named '{}'", name), "give one another name");
    }
  }

  void schema() {
    std::set<std::string> seen;
    for (const spec::Key& key : stream_.schema.keys) {
      name("key", key.name, seen);
    }
    for (const spec::Field& field : stream_.schema.fields) {
      name("field", field.name, seen);
      if (field.places < 0 || field.places > kMaxPlaces) {
        mistake(fmt::format("field '{}': 'places' = {} is not between 0 and {}", field.name, field.places, kMaxPlaces));
      }
    }
  }

  void time() {
    const spec::Time& time = stream_.time;
    if (time.arrival || !known(stream_, {"time"})) {
      return;
    }
    const bool may_have_own_time =
        !known(stream_, {"source", "sources"}) ||
        std::any_of(stream_.sources.begin(), stream_.sources.end(), [](const spec::Source& source) {
          return !known(source, {"type", "format"});
        });
    const bool own_time = !stream_.sources.empty() &&
                          std::all_of(stream_.sources.begin(), stream_.sources.end(), [](const spec::Source& source) {
                            return source.format.kind == spec::FormatKind::senml ||
                                   source.format.kind == spec::FormatKind::raw ||
                                   source.format.kind == spec::FormatKind::line;
                          });
    if (time.field.empty() && !own_time && !may_have_own_time) {
      mistake("'time' is missing", "write time = { field = \"…\" }, or time = \"arrival\"");
    }
    if (time.unit == TimeUnit::format &&
        (time.format.empty() ||
         std::find(time.more_formats.begin(), time.more_formats.end(), std::string()) != time.more_formats.end())) {
      mistake("time: 'format' is empty", "as in \"%Y-%m-%d %H:%M:%S\"");
      return;
    }
    if (!time.more_fields.empty() &&
        std::any_of(stream_.sources.begin(), stream_.sources.end(), [](const spec::Source& source) {
          return source.format.kind == spec::FormatKind::senml || source.format.kind == spec::FormatKind::raw;
        })) {
      mistake("time: 'fields' joins the texts of several columns or members, which only csv and json have");
    }
    try {
      const TimeReader reader(time.form());
    } catch (const ConfigError& error) {
      diagnostics_.add(stream_.line, what_ + ", time", error);
    }
  }

  void values() {
    for (const std::string& word : stream_.true_words) {
      if (std::find(stream_.false_words.begin(), stream_.false_words.end(), word) != stream_.false_words.end()) {
        mistake(fmt::format("'{}' is both among 'true' and among 'false'", word));
      }
    }
    const bool has_switch = std::any_of(stream_.schema.fields.begin(), stream_.schema.fields.end(),
                                        [](const spec::Field& field) { return field.is_switch; });
    if (!has_switch && known(stream_, {"fields"}) && !(stream_.true_words.empty() && stream_.false_words.empty())) {
      mistake("'true' and 'false' are words of a field that is on or off, and there is none",
              "write fields = { valve = \"bool\" }");
    }
  }

  void durations() {
    for (const auto& [entry, value] :
         {std::tuple("out_of_order", stream_.out_of_order), std::tuple("idle_timeout", stream_.idle_timeout),
          std::tuple("max_ahead", stream_.max_ahead), std::tuple("key_ttl", stream_.key_ttl)}) {
      if (value.count() < 0) {
        mistake(fmt::format("'{}' is negative", entry));
      }
    }
  }

  void dedupe() {
    if (!known(stream_, {"dedupe", "sequence", "fields", "time"})) {
      return;
    }
    if (!stream_.sequence.empty()) {
      if (!stream_.dedupe) {
        mistake("'sequence' without 'dedupe'", "add dedupe = true");
      }
      if (!stream_.schema.field_index(stream_.sequence)) {
        std::vector<std::string_view> names;
        for (const spec::Field& field : stream_.schema.fields) {
          names.emplace_back(field.name);
        }
        mistake(fmt::format("'sequence' names no field '{}'", stream_.sequence), suggest(stream_.sequence, names));
      }
    } else if (stream_.dedupe && stream_.time.arrival) {
      mistake("'dedupe' goes by event time, but a repeated reading arrives at another time",
              "name a field that counts the readings: sequence = \"…\"");
    }
  }

  const spec::Stream& stream_;
  Diagnostics& diagnostics_;
  std::string what_;
};

}  // namespace

std::string source_name(const spec::Stream& stream, std::size_t index) {
  return stream.sources.size() == 1 ? fmt::format("stream '{}', source", stream.name)
                                    : fmt::format("stream '{}', source {}", stream.name, index + 1);
}

void check_stream(const spec::Stream& stream, Diagnostics& diagnostics) {
  StreamChecker(stream, diagnostics).run();
}

}  // namespace weir::plan
