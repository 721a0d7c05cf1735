#include "plan/conflicts.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "mqtt/broker_address.hpp"
#include "plan/compile.hpp"
#include "plan/stream_checks.hpp"

namespace weir::plan {
namespace {

namespace fs = std::filesystem;

/// The file that a path names, whether it is there or not; empty: none that a conflict could be about.
fs::path file_of(const std::string& path) {
  if (path.empty() || path == "-") {
    return {};
  }
  std::error_code error;
  fs::path file = fs::weakly_canonical(fs::absolute(path, error), error);
  if (error) {
    file = fs::path(path).lexically_normal();
  }
  if (!file.has_filename()) {
    file = file.parent_path();  // "state/"
  }
  return *file.begin() == "/" && file.native().rfind("/dev/", 0) == 0 ? fs::path() : file;
}

bool is_inside(const fs::path& file, const fs::path& directory) {
  const auto [end, rest] = std::mismatch(directory.begin(), directory.end(), file.begin(), file.end());
  return end == directory.end();
}

class ConflictChecker {
 public:
  ConflictChecker(const Plan& plan, Diagnostics& diagnostics)
      : plan_(plan), diagnostics_(diagnostics), state_dir_(file_of(plan.spec.state_dir)) {}

  void run() {
    for (const spec::Stream& stream : plan_.spec.streams) {
      for (std::size_t i = 0; i < stream.sources.size(); ++i) {
        source(stream, stream.sources[i], source_name(stream, i));
      }
    }
    if (const fs::path file = file_of(plan_.spec.dead_letter); !file.empty()) {
      output(file, "'dead_letter'", 0);
      if (plan_.spec.dead_letter_bytes > 0) {
        output(file_of(plan_.spec.dead_letter + ".1"), "'dead_letter' (the file before, see dead_letter_bytes)", 0);
      }
    }
    for (std::size_t i = 0; i < plan_.spec.sinks.size(); ++i) {
      sink(i);
    }
  }

 private:
  struct Client {
    std::string listener, id, what;
  };
  struct File {
    fs::path file;
    std::string what;
  };
  struct Directory {
    fs::path directory;
    std::string pattern, what;
  };

  void source(const spec::Stream& stream, const spec::Source& source, const std::string& what) {
    if (!known(source, {"type"})) {
      return;
    }
    if (source.kind == spec::SourceKind::mqtt) {
      client(source.broker, source.client_id, what, source.line != 0 ? source.line : stream.line);
    } else if (source.kind == spec::SourceKind::file || source.kind == spec::SourceKind::directory) {
      const fs::path file = file_of(source.path);
      if (file.empty()) {
        return;
      }
      if (source.kind == spec::SourceKind::file) {
        inputs_.push_back({file, what});
      } else {
        directories_.push_back({file, source.pattern, what});
      }
    }
  }

  void sink(std::size_t index) {
    const spec::Sink& sink = plan_.spec.sinks[index];
    const std::string what = fmt::format("sink '{}'", sink.name);
    if (!known(sink, {"type"})) {
      return;
    }
    if (sink.kind == spec::SinkKind::mqtt) {
      client(sink.broker, sink.client_id, what, sink.line);
    } else if (sink.kind == spec::SinkKind::file) {
      const auto writes = [index](const QueryPlan& query) {
        return std::find(query.sinks.begin(), query.sinks.end(), index) != query.sinks.end();
      };
      const bool used = std::any_of(plan_.queries.begin(), plan_.queries.end(), writes);
      std::set<fs::path> files;  // of the sink's queries, which may share one; of a sink without queries: of any
      for (const QueryPlan& query : plan_.queries) {
        if (!used || writes(query)) {
          files.insert(file_of(with_query(sink.path, query.spec.name)));
        }
      }
      for (const fs::path& file : files) {
        if (!file.empty() && !output(file, what, sink.line)) {
          return;
        }
      }
    }
  }

  static std::string with_query(std::string path, const std::string& query) {
    constexpr std::string_view kPlace = "{query}";
    for (std::size_t at = path.find(kPlace); at != std::string::npos; at = path.find(kPlace, at + query.size())) {
      path.replace(at, kPlace.size(), query);
    }
    return path;
  }

  void client(const std::string& broker, const std::string& id, const std::string& what, int line) {
    if (id.empty() || !mqtt::broker_mistake(broker).empty()) {
      return;
    }
    const std::string listener = mqtt::broker_listener(broker);
    const auto other = std::find_if(clients_.begin(), clients_.end(), [&](const Client& client) {
      return client.listener == listener && client.id == id;
    });
    if (other == clients_.end()) {
      clients_.push_back({listener, id, what});
      return;
    }
    diagnostics_.add(line,
                     fmt::format("{}: 'client_id' = \"{}\" is that of {} at the same broker, which would throw out the "
                                 "one whenever the other connects",
                                 what, id, other->what),
                     "give each a client_id of its own");
  }

  /// @return there is no conflict
  bool output(const fs::path& file, const std::string& what, int line) {
    const std::size_t before = diagnostics_.size();
    if (!state_dir_.empty() && is_inside(file, state_dir_)) {
      diagnostics_.add(line, fmt::format("{} writes into 'state_dir', '{}'", what, plan_.spec.state_dir),
                       "the directory is Weir's own: give it a path elsewhere");
    }
    for (const File& other : outputs_) {
      if (other.file == file) {
        diagnostics_.add(line, fmt::format("{} writes to the same file as {}", what, other.what),
                         "give it another path");
        break;
      }
    }
    for (const File& other : inputs_) {
      if (other.file == file) {
        diagnostics_.add(line, fmt::format("{} writes to the file that {} reads", what, other.what),
                         "give it another path");
        break;
      }
    }
    for (const Directory& other : directories_) {
      if (other.directory == file.parent_path() && ::fnmatch(other.pattern.c_str(), file.filename().c_str(), 0) == 0) {
        diagnostics_.add(line, fmt::format("{} writes into the directory that {} reads", what, other.what),
                         "give it another path, or the source a pattern that does not match it");
        break;
      }
    }
    outputs_.push_back({file, what});
    return diagnostics_.size() == before;
  }

  const Plan& plan_;
  Diagnostics& diagnostics_;
  fs::path state_dir_;
  std::vector<Client> clients_;
  std::vector<File> inputs_;
  std::vector<Directory> directories_;
  std::vector<File> outputs_;
};

}  // namespace

void check_conflicts(const Plan& plan, Diagnostics& diagnostics) {
  ConflictChecker(plan, diagnostics).run();
}

}  // namespace weir::plan
