#include "sink/rotated_name.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/error.hpp"
#include "core/posix_file.hpp"
#include "core/time_text.hpp"

namespace weir::sink {
namespace {

constexpr std::size_t kStampLength = std::string_view("20130831T220001Z").size();

// The last component's name without, and with only, its extension. A leading dot begins no extension.
std::pair<std::string_view, std::string_view> split_extension(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  const std::size_t name = slash == std::string_view::npos ? 0 : slash + 1;
  const std::size_t dot = path.find_last_of('.');
  if (dot == std::string_view::npos || dot <= name) return {path, {}};
  return {path.substr(0, dot), path.substr(dot)};
}

bool is_stamp(std::string_view text) {
  if (text.size() != kStampLength || text[8] != 'T' || text[15] != 'Z') return false;
  for (std::size_t i = 0; i < 15; ++i) {
    if (i != 8 && (text[i] < '0' || text[i] > '9')) return false;
  }
  return true;
}

// What rotated_path put between stem and extension: "20130831T220001Z" or "20130831T220001Z_0012".
std::optional<RotatedOrder> parse_order(std::string_view text) {
  if (!is_stamp(text.substr(0, kStampLength))) return std::nullopt;
  RotatedOrder order{std::string(text.substr(0, kStampLength)), 0};
  text.remove_prefix(kStampLength);
  if (text.empty()) return order;
  if (text.size() < 5 || text.front() != '_') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), order.number);
  if (error != std::errc() || end != text.data() + text.size() || order.number == 0) return std::nullopt;
  return order;
}

}  // namespace

std::string rotation_stamp(std::int64_t window_end_ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t below = ((window_end_ns % kSecond) + kSecond) % kSecond;
  std::string text;
  append_rfc3339(text, window_end_ns < INT64_MIN + below ? window_end_ns : window_end_ns - below);
  std::string stamp;
  for (const char c : text) {
    if (c != '-' && c != ':') stamp.push_back(c);
  }
  return stamp;
}

RotatedOrder next_rotated(const RotatedOrder& last, std::int64_t window_end_ns) {
  RotatedOrder next{rotation_stamp(window_end_ns), 0};
  if (next.stamp <= last.stamp) next = {last.stamp, last.number + 1};
  return next;
}

std::string rotated_path(std::string_view path, const RotatedOrder& order) {
  const auto [stem, extension] = split_extension(path);
  // The number has leading zeros, and '_' stands behind '.' in ASCII: ls shows the files in the order of their rows.
  if (order.number == 0) return fmt::format("{}.{}{}", stem, order.stamp, extension);
  return fmt::format("{}.{}_{:04}{}", stem, order.stamp, order.number, extension);
}

std::vector<RotatedFile> rotated_files(FileSystem& file_system, const std::string& path) {
  const auto [stem_path, extension] = split_extension(path);
  std::string prefix(stem_path.substr(stem_path.find_last_of('/') + 1));  // npos + 1 is 0: the whole
  prefix.push_back('.');
  const std::string directory = parent_directory(path);
  std::vector<RotatedFile> files;
  if (!file_system.status(directory)) return files;
  for (const std::string& name : file_system.names_in(directory)) {
    std::string_view middle = name;
    if (middle.size() < prefix.size() + extension.size() || !middle.starts_with(prefix) || !middle.ends_with(extension))
      continue;
    middle.remove_prefix(prefix.size());
    middle.remove_suffix(extension.size());
    if (auto order = parse_order(middle)) files.push_back({*std::move(order), fmt::format("{}/{}", directory, name)});
  }
  std::sort(files.begin(), files.end(), [](const RotatedFile& a, const RotatedFile& b) { return a.order < b.order; });
  return files;
}

}  // namespace weir::sink
