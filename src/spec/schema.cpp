#include "spec/schema.hpp"

namespace weir::spec {
namespace {

template <typename Entry>
std::optional<std::size_t> index_of(const std::vector<Entry>& entries, std::string_view name) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].name == name) {
      return i;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> Schema::key_index(std::string_view name) const {
  return index_of(keys, name);
}
std::optional<std::size_t> Schema::field_index(std::string_view name) const {
  return index_of(fields, name);
}

}  // namespace weir::spec
