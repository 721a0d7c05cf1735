#include "core/secrets.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

namespace weir {
namespace {

constexpr std::size_t kShortest = 4;

struct Secrets {
  std::mutex mutex;
  std::vector<std::string> values;  // longer ones first: one may be a part of another
};

Secrets& secrets() {
  static Secrets kept;
  return kept;
}

}  // namespace

void keep_secret(std::string_view value) {
  if (value.size() < kShortest) return;
  Secrets& kept = secrets();
  const std::scoped_lock lock(kept.mutex);
  if (std::find(kept.values.begin(), kept.values.end(), value) != kept.values.end()) return;
  const auto shorter = [value](const std::string& other) { return other.size() < value.size(); };
  kept.values.emplace(std::find_if(kept.values.begin(), kept.values.end(), shorter), value);
}

std::string without_secrets(std::string_view text) {
  std::string shown(text);
  Secrets& kept = secrets();
  const std::scoped_lock lock(kept.mutex);
  for (const std::string& value : kept.values) {
    for (std::size_t at = shown.find(value); at != std::string::npos; at = shown.find(value, at + 3)) {
      shown.replace(at, value.size(), "***");
    }
  }
  return shown;
}

}  // namespace weir
