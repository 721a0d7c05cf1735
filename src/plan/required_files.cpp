#include "plan/required_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "core/file_list.hpp"
#include "mqtt/tls.hpp"
#include "plan/diagnostics.hpp"
#include "plan/stream_checks.hpp"

namespace weir::plan {
namespace {

/// Why the path cannot be read as what it should be; empty: it can.
std::string mistake_in(const std::string& path, bool directory) {
  // Without opening it: a pipe's writer would take that for its reader.
  struct ::stat status {};
  if (::stat(path.c_str(), &status) != 0 || ::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0) {
    return std::strerror(errno);
  }
  if (S_ISDIR(status.st_mode) != directory) {
    return directory ? "it is no directory" : "it is a directory";
  }
  return {};
}

class Checker {
 public:
  Checker(const Plan& plan, Inputs inputs) : plan_(plan), inputs_(inputs), diagnostics_(plan.spec.file) {}

  void run() {
    state_dir();
    for (const spec::Stream& stream : plan_.spec.streams) {
      for (std::size_t i = 0; i < stream.sources.size(); ++i) {
        source(stream, stream.sources[i], source_name(stream, i));
      }
    }
    for (const spec::Sink& sink : plan_.spec.sinks) {
      if (sink.kind == spec::SinkKind::mqtt) {
        tls(fmt::format("sink '{}'", sink.name), sink.line,
            {.ca = sink.ca_file, .cert = sink.cert_file, .key = sink.key_file});
      }
    }
    diagnostics_.throw_if_any();
  }

 private:
  void source(const spec::Stream& stream, const spec::Source& source, const std::string& what) {
    const int line = source.line != 0 ? source.line : stream.line;
    if (source.kind == spec::SourceKind::mqtt) {
      tls(what, line, {.ca = source.ca_file, .cert = source.cert_file, .key = source.key_file});
    } else if (inputs_ == Inputs::include && source.kind == spec::SourceKind::file) {
      file(what, line, "path", source.path);
      for (const std::string& mistake : list_files(source.paths).mistakes) {
        diagnostics_.add(line, fmt::format("{}: {}", what, mistake));
      }
    } else if (inputs_ == Inputs::include && source.kind == spec::SourceKind::directory) {
      require(what, line, "path", source.path, true);
    }
  }

  void tls(const std::string& what, int line, const mqtt::TlsFiles& files) {
    const std::size_t before = diagnostics_.size();
    file(what, line, "ca_file", files.ca);
    file(what, line, "cert_file", files.cert);
    file(what, line, "key_file", files.key);
    if (diagnostics_.size() > before || files.empty()) {
      return;
    }
    using File = mqtt::TlsFileMistake::File;
    const mqtt::TlsFileMistake mistake = mqtt::tls_file_mistake(files);
    if (mistake.file != File::none) {
      const auto [entry, path] = mistake.file == File::ca     ? std::pair("ca_file", files.ca)
                                 : mistake.file == File::cert ? std::pair("cert_file", files.cert)
                                                              : std::pair("key_file", files.key);
      diagnostics_.add(line, fmt::format("{}: '{}' = \"{}\": {}", what, entry, path, mistake.text));
    }
  }

  void file(const std::string& what, int line, const char* entry, const std::string& path) {
    if (!path.empty() && path != "-") {
      require(what, line, entry, path, false);
    }
  }

  void require(const std::string& what, int line, const char* entry, const std::string& path, bool directory) {
    if (const std::string mistake = mistake_in(path, directory); !mistake.empty()) {
      diagnostics_.add(line, fmt::format("{}: cannot read '{}' = \"{}\": {}", what, entry, path, mistake));
    }
  }

  /// It is made where it is not there, with the directories above.
  void state_dir() {
    if (plan_.spec.state_dir.empty()) {
      return;
    }
    std::error_code ignored;
    for (std::filesystem::path path = std::filesystem::absolute(plan_.spec.state_dir, ignored);
         path.has_relative_path(); path = path.parent_path()) {
      const std::filesystem::file_status status = std::filesystem::status(path, ignored);
      if (std::filesystem::exists(status)) {
        if (!std::filesystem::is_directory(status)) {
          diagnostics_.add(
              0, fmt::format("'state_dir' = \"{}\": '{}' is no directory", plan_.spec.state_dir, path.string()));
        }
        return;
      }
    }
  }

  const Plan& plan_;
  const Inputs inputs_;
  Diagnostics diagnostics_;
};

}  // namespace

void require_files(const Plan& plan, Inputs inputs) {
  Checker(plan, inputs).run();
}

}  // namespace weir::plan
