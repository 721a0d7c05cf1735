#include "source/mqtt_subscriptions.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "core/file_system.hpp"
#include "core/log.hpp"
#include "core/topic_pattern.hpp"
#include "mqtt/broker_address.hpp"
#include "source/mqtt_options.hpp"

namespace weir::source {
namespace {

constexpr std::string_view kTitle = "weir mqtt subscriptions 1";
// A topic of n levels can have come by about 3 * 2^n filters; of a longer one only the likely ones are told.
constexpr std::size_t kMostLevels = 7;
constexpr std::size_t kMostRemembered = 10'000;

std::string joined(const std::vector<std::string_view>& levels, std::size_t count, std::uint32_t plus) {
  std::string filter;
  for (std::size_t i = 0; i < count; ++i) {
    filter += i > 0 ? "/" : "";
    filter += (plus >> i & 1U) != 0 ? "+" : levels[i];
  }
  return filter;
}

std::vector<std::string> filters_for(std::string_view topic) {
  std::vector<std::string_view> levels;
  for (std::size_t at = 0; at != std::string_view::npos;) {
    levels.push_back(next_topic_level(topic, at));
  }
  std::vector<std::string> filters{std::string(topic)};
  // A wildcard in front does not match the server's own topics.
  const bool reserved = topic.starts_with('$');
  for (std::size_t count = levels.size() + 1; count-- > (reserved ? 1U : 0U);) {
    filters.push_back(joined(levels, count, 0) + (count > 0 ? "/#" : "#"));
  }
  const std::size_t wild = std::min(levels.size(), kMostLevels);
  for (std::uint32_t plus = 1; plus < 1U << wild; ++plus) {
    if (reserved && (plus & 1U) != 0) {
      continue;
    }
    filters.push_back(joined(levels, levels.size(), plus));
    for (std::size_t count = 1; count <= levels.size(); ++count) {
      if (plus < 1U << std::min(count, wild)) {
        filters.push_back(joined(levels, count, plus) + "/#");
      }
    }
  }
  return filters;
}

}  // namespace

std::uint32_t subscription_identifier(std::string_view filter) noexcept {
  return static_cast<std::uint32_t>(XXH3_64bits(filter.data(), filter.size()) % ((1U << 28U) - 1)) + 1;
}

MqttSubscriptions::MqttSubscriptions(const spec::Source& spec, const std::string& directory) : spec_(spec) {
  if (keeps_session(spec) && !directory.empty()) {
    owner_ = fmt::format("{} {}", mqtt::broker_listener(spec.broker), spec.client_id);
    file_ = fmt::format("{}/{:016x}.subscriptions", directory, XXH3_64bits(owner_.data(), owner_.size()));
    load();
  }
}

MqttSubscriptions::Entry MqttSubscriptions::entry_of(const std::string& topic) const {
  return {subscription_filter(topic), spec_.qos, spec_.retained, false};
}

MqttSubscriptions::Change MqttSubscriptions::connected(bool resumed) {
  if (!resumed) {
    entries_.clear();
    gone_.clear();
    others_ = false;
  } else if (!known_) {
    others_ = true;
  }
  known_ = true;
  Change change;
  std::set<std::string> wanted;
  for (const std::string& topic : spec_.topics) {
    const Entry entry = entry_of(topic);
    wanted.insert(entry.filter);
    const bool has = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& other) {
      return other.filter == entry.filter && other.qos == entry.qos && other.retained == entry.retained && other.sure;
    });
    // To subscribe again does no harm, and mends a session that another client of the same name has changed; but MQTT
    // 3.1.1 would send the retained messages again.
    if (!has || spec_.mqtt_version >= 5 || !spec_.retained) {
      change.add.push_back(topic);
    }
  }
  for (const Entry& entry : entries_) {
    if (!wanted.contains(entry.filter)) {
      change.drop.push_back(entry.filter);
    }
  }
  return change;
}

void MqttSubscriptions::begin(const std::string& topic) {
  const Entry entry = entry_of(topic);
  if (std::none_of(entries_.begin(), entries_.end(),
                   [&](const Entry& other) { return other.filter == entry.filter; })) {
    entries_.push_back(entry);
    save();
  }
}

void MqttSubscriptions::subscribed(const std::string& topic) {
  Entry entry = entry_of(topic);
  entry.sure = true;
  const auto same = [&](const Entry& other) { return other.filter == entry.filter; };
  const auto old = std::find_if(entries_.begin(), entries_.end(), same);
  if (old != entries_.end() && old->sure && old->qos == entry.qos && old->retained == entry.retained) {
    return;
  }
  std::erase_if(entries_, same);
  entries_.push_back(entry);
  save();
}

void MqttSubscriptions::dropped(const std::string& filter) {
  if (gone_.size() < kMostRemembered) {
    gone_.insert(filter);
  }
  if (std::erase_if(entries_, [&](const Entry& entry) { return entry.filter == filter; }) > 0) {
    save();
  }
}

std::vector<std::string> MqttSubscriptions::suspects(std::string_view topic) const {
  std::set<std::string> own;
  std::set<std::string_view> groups{{}};
  for (const std::string& wanted : spec_.topics) {
    own.insert(subscription_filter(wanted));
    groups.insert(share_group(wanted));
  }
  std::vector<std::string> suspects;
  for (const std::string& filter : filters_for(topic)) {
    for (const std::string_view group : groups) {
      std::string suspect = group.empty() ? filter : fmt::format("$share/{}/{}", group, filter);
      if (!own.contains(suspect) && !gone_.contains(suspect)) {
        suspects.push_back(std::move(suspect));
      }
    }
  }
  return suspects;
}

// Lines: the title; whose they are; whether there may be others; then "sure qos retained filter".
void MqttSubscriptions::load() {
  std::ifstream in(file_);
  std::string title;
  std::string owner;
  std::string line;
  if (!std::getline(in, title) || title != kTitle || !std::getline(in, owner) || owner != owner_ ||
      !std::getline(in, line)) {
    return;
  }
  others_ = line != "complete";
  while (std::getline(in, line)) {
    std::istringstream words(line);
    Entry entry;
    if (words >> entry.sure >> entry.qos >> entry.retained && words.get() == ' ' && std::getline(words, entry.filter)) {
      entries_.push_back(std::move(entry));
    }
  }
  known_ = true;
}

void MqttSubscriptions::save() {
  if (file_.empty()) {
    return;
  }
  std::string text = fmt::format("{}\n{}\n{}\n", kTitle, owner_, others_ ? "incomplete" : "complete");
  for (const Entry& entry : entries_) {
    text += fmt::format("{:d} {} {:d} {}\n", entry.sure, entry.qos, entry.retained, entry.filter);
  }
  try {
    FileSystem& files = real_file_system();
    const std::string directory = parent_directory(file_);
    const std::string written = file_ + ".tmp";
    files.make_directories(directory, 0700);
    {
      const FileDescriptor file = files.open(written, O_WRONLY | O_CREAT | O_TRUNC);
      files.write(file, text, written);
      files.sync(file, written);
    }
    files.rename(written, file_);
    files.sync_directory(directory);
  } catch (const std::exception& error) {
    if (!std::exchange(failure_told_, true)) {
      log::warn("broker '{}': what is subscribed cannot be kept: {}", spec_.broker, error.what());
    }
  }
}

}  // namespace weir::source
