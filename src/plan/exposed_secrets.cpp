#include "plan/exposed_secrets.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace weir::plan {
namespace {

bool readable_by_others(const std::string& path) {
  struct ::stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IROTH) != 0;
}

/// Whether a string of the file is just `text`.
bool spells_out(const std::string& path, const std::string& text) {
  std::ifstream file(path);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  return !text.empty() &&
         (content.find('"' + text + '"') != std::string::npos || content.find('\'' + text + '\'') != std::string::npos);
}

}  // namespace

std::vector<std::string> exposed_secrets(const Plan& plan) {
  std::vector<std::string> passwords;
  std::vector<std::string> keys;
  const auto add_key = [&keys](const std::string& key) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  };
  for (const spec::Stream& stream : plan.spec.streams) {
    for (const spec::Source& source : stream.sources) {
      passwords.push_back(source.password);
      add_key(source.key_file);
    }
  }
  for (const spec::Sink& sink : plan.spec.sinks) {
    passwords.push_back(sink.password);
    add_key(sink.key_file);
  }

  std::vector<std::string> exposed;
  const std::string& config = plan.spec.file;
  const auto spelled_out = [&](const std::string& password) { return spells_out(config, password); };
  if (readable_by_others(config) && std::any_of(passwords.begin(), passwords.end(), spelled_out)) {
    exposed.push_back(fmt::format(
        "'{}' holds a password and every user of this machine can read it (chmod o-r, or write ${{NAME}})", config));
  }
  for (const std::string& key : keys) {
    if (readable_by_others(key)) {
      exposed.push_back(fmt::format("every user of this machine can read the private key '{}' (chmod o-r)", key));
    }
  }
  return exposed;
}

}  // namespace weir::plan
