#include "sink/dead_letter.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/time_text.hpp"
#include "sink/row_format.hpp"

namespace weir::sink {
namespace {

// At most kLongestPayload bytes, without a character cut in two at the end.
std::string_view beginning(std::string_view payload) {
  if (payload.size() <= DeadLetters::kLongestPayload) return payload;
  std::size_t end = DeadLetters::kLongestPayload;
  while (end > DeadLetters::kLongestPayload - 4 && (static_cast<unsigned char>(payload[end]) & 0xC0U) == 0x80U) --end;
  const bool text = (static_cast<unsigned char>(payload[end]) & 0xC0U) != 0x80U;
  return payload.substr(0, text ? end : DeadLetters::kLongestPayload);
}

}  // namespace

void DeadLetters::open(const std::string& path) {
  if (path.empty()) return;
  const std::lock_guard lock(mutex_);
  make_directories(parent_directory(path));
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file) throw system_error("open", path);
  path_ = path;
  file_ = std::move(file);
}

void DeadLetters::malformed(std::string_view stream, batch::Malformed reason, std::int64_t arrival_ns,
                            std::string_view sample) {
  put("stream", stream, batch::name(reason), arrival_ns, sample);
}

void DeadLetters::late(std::string_view stream, std::int64_t arrival_ns, std::string_view row) {
  put("stream", stream, "late", arrival_ns, row);
}

void DeadLetters::refused(std::string_view sink, std::string_view reason, std::string_view row) {
  put("sink", sink, reason, wall_clock_ns(), row);
}

void DeadLetters::next_interval(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto used = used_.find(name); used != used_.end()) used->second = 0;
}

void DeadLetters::put(std::string_view kind, std::string_view name, std::string_view reason, std::int64_t time_ns,
                      std::string_view payload) {
  const std::lock_guard lock(mutex_);
  if (!file_) return;
  auto used = used_.find(name);
  if (used == used_.end()) used = used_.emplace(name, 0).first;
  if (used->second >= limit_) {
    ++over_limit_;
    return;
  }
  ++used->second;
  line_.assign(R"({")").append(kind).append(R"(":)");
  append_json_string(line_, name);
  line_.append(R"(,"reason":)");
  append_json_string(line_, reason);
  line_.append(R"(,"time":")");
  append_rfc3339(line_, time_ns);
  line_.append(R"(","payload":)");
  append_json_string(line_, beginning(payload));
  if (payload.size() > kLongestPayload) line_.append(R"(,"payload_bytes":)").append(std::to_string(payload.size()));
  line_.append("}\n");
  if (const int error = write_all(file_.get(), line_); error != 0) {
    if (failed_++ == 0)
      spdlog::warn("dead letters: {}; further ones are only counted", system_error("write", path_, error).what());
    return;
  }
  ++written_;
}

}  // namespace weir::sink
