#include "sink/dead_letter.hpp"

#include "core/file_system.hpp"
#include "core/log.hpp"
#include "core/time_text.hpp"
#include "core/utf8.hpp"
#include "sink/row_format.hpp"

namespace weir::sink {
namespace {

// Bytes of a character in a JSON string.
std::size_t text_bytes(std::string_view character, bool valid) {
  if (!valid) return kReplacementCharacter.size();
  const auto byte = static_cast<unsigned char>(character.front());
  if (byte < 0x20) return 6;
  return byte == '"' || byte == '\\' ? 2 : character.size();
}

// As much of it as is kept, without a character cut in two at the end.
std::string_view beginning(std::string_view payload) {
  std::size_t end = 0;
  std::size_t text = 0;
  while (end < payload.size()) {
    const Utf8Sequence sequence = front_utf8(payload.substr(end));
    text += text_bytes(payload.substr(end, sequence.length), sequence.valid);
    if (end + sequence.length > DeadLetters::kLongestPayload || text > DeadLetters::kLongestText) break;
    end += sequence.length;
  }
  return payload.substr(0, end);
}

}  // namespace

void DeadLetters::open(const std::string& path) {
  if (path.empty()) return;
  const std::lock_guard lock(mutex_);
  files_.make_directories(parent_directory(path));
  file_ = open_output(files_, path, O_WRONLY | O_APPEND, kMode);
  path_ = path;
  const FileStatus status = files_.status(file_, path);
  regular_ = status.regular;
  bytes_ = regular_ ? status.bytes : 0;
}

// The file before this one goes; together the two never have more than most_bytes_.
void DeadLetters::rotate() {
  files_.rename(path_, path_ + ".1");
  file_ = open_output(files_, path_, O_WRONLY | O_APPEND, kMode);
  bytes_ = 0;
}

void DeadLetters::append(std::string_view line) {
  if (regular_ && most_bytes_ != 0 && bytes_ != 0 && bytes_ + line.size() > most_bytes_ / 2) rotate();
  bytes_ += line.size();
  files_.write(file_, line, path_);
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
  const std::string_view kept = beginning(payload);
  append_json_string(line_, kept);
  if (kept.size() < payload.size()) line_.append(R"(,"payload_bytes":)").append(std::to_string(payload.size()));
  line_.append("}\n");
  try {
    append(line_);
    ++written_;
  } catch (const FileError& error) {
    if (failed_++ == 0) log::warn("dead letters: {}; further ones are only counted", error.what());
  }
}

}  // namespace weir::sink
