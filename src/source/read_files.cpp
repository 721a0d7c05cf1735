#include "source/read_files.hpp"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

#include "core/error.hpp"

namespace weir::source {
namespace {

// Files that are gone are forgotten when they are more than those that are there, and so many. Before that they may
// come back, as with a volume that is mounted again.
constexpr std::size_t kGoneFiles = 1000;

void append(std::string& text, const ReadFile& file) {
  fmt::format_to(std::back_inserter(text), "{:x}:{:x}:{:x}:{:x}{};", file.id, file.bytes, file.ends, file.stamp,
                 file.refused  ? "!"
                 : file.packed ? "~"
                               : "");
}

template <typename Number>
bool take(std::string_view& text, char end, Number& number) {
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  const auto digits = static_cast<std::size_t>(at - text.data());
  if (error != std::errc() || digits == text.size() || (end != '\0' && text[digits] != end)) {
    return false;
  }
  text.remove_prefix(digits + (end != '\0' ? 1 : 0));
  return true;
}

bool take(std::string_view& text, ReadFile& file) {
  if (!take(text, ':', file.id) || !take(text, ':', file.bytes) || !take(text, ':', file.ends) ||
      !take(text, '\0', file.stamp)) {
    return false;
  }
  file.refused = text.starts_with('!');
  file.packed = text.starts_with('~');
  text.remove_prefix(file.refused || file.packed ? 1 : 0);
  const bool ended = text.starts_with(';');
  text.remove_prefix(ended ? 1 : 0);
  return ended;
}

}  // namespace

std::optional<ReadFile> ReadFiles::load(std::string_view detail) {
  std::optional<ReadFile> last;
  if (detail.empty()) {
    return last;
  }
  bool sound = detail.starts_with('=') || detail.starts_with('+');
  detail.remove_prefix(1);
  begun_ = true;
  while (sound && !detail.empty()) {
    last.emplace();
    sound = take(detail, *last);
    remember(*last);
    files_[last->id].from_before = true;
    ++told_;
  }
  if (!sound) {
    throw Error("the saved position is damaged");
  }
  return last;
}

ReadFiles::Entry* ReadFiles::find(std::uint64_t id) {
  const auto found = files_.find(id);
  if (found == files_.end()) {
    return nullptr;
  }
  mark(found->second);
  return &found->second;
}

const ReadFiles::Entry* ReadFiles::find_copy(std::uint32_t stamp) const {
  const auto id = by_stamp_.find(stamp);
  const auto found = id == by_stamp_.end() ? files_.end() : files_.find(id->second);
  return found == files_.end() || found->second.stamp != stamp ? nullptr : &found->second;
}

void ReadFiles::remember(const ReadFile& file) {
  Entry& entry = files_[file.id];
  mark(entry);
  entry = {file, listing_, false};
  by_stamp_[file.stamp] = file.id;
}

void ReadFiles::mark(Entry& entry) noexcept {
  listed_ += entry.listing != listing_ ? 1U : 0U;
  entry.listing = listing_;
}

std::string ReadFiles::add(const ReadFile& file) {
  remember(file);
  std::string detail;
  ++told_;
  if (begun_ && told_ < kGoneFiles + 2 * listed_) {
    detail = '+';
    append(detail, file);
    return detail;
  }
  forget_what_is_gone();
  begun_ = true;
  detail = '=';
  for (const auto& [id, known] : files_) {
    if (id != file.id) {
      append(detail, known);
    }
  }
  append(detail, file);
  told_ = files_.size();
  return detail;
}

void ReadFiles::forget_what_is_gone() {
  std::erase_if(files_, [this](const auto& known) { return known.second.listing != listing_; });
  by_stamp_.clear();
  for (const auto& [id, known] : files_) {
    by_stamp_[known.stamp] = id;
  }
}

}  // namespace weir::source
