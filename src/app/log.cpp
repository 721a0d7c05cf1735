#include "app/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/spelling.hpp"
#include "core/status_line.hpp"

namespace weir::app {
namespace {

constexpr const char* kTime = "%Y-%m-%dT%H:%M:%S.%eZ";

class TextFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    text_ = log::shown({message.payload.data(), message.payload.size()});
    spdlog::details::log_msg shown = message;
    shown.payload = text_;
    pattern_.format(shown, out);
    message.color_range_start = shown.color_range_start;
    message.color_range_end = shown.color_range_end;
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<TextFormatter>(); }

 private:
  spdlog::pattern_formatter pattern_{std::string(kTime) + " %^%l%$ %v", spdlog::pattern_time_type::utc};
  std::string text_;
};

// spdlog's own patterns don't escape.
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    time_.format(message, line_);
    fmt::format_to(fmt::appender(out), R"({{"time":"{}","level":"{}","message":")",
                   fmt::string_view(line_.data(), line_.size()), spdlog::level::to_string_view(message.level));
    line_.clear();
    text_ = log::shown({message.payload.data(), message.payload.size()});
    for (const char c : text_) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    const std::string_view end = "\"}\n";
    out.append(end.data(), end.data() + end.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }

 private:
  spdlog::pattern_formatter time_{kTime, spdlog::pattern_time_type::utc, ""};
  spdlog::memory_buf_t line_;
  std::string text_;
};

// The levels of both are the same, in the same order.
spdlog::level::level_enum spdlog_level(log::Level level) {
  return static_cast<spdlog::level::level_enum>(level);
}

void put_line(const Context& context, log::Level level, std::string_view line) {
  if (!context.json_log) {
    std::fputs((log::shown(line) + '\n').c_str(), stderr);
    return;
  }
  spdlog::memory_buf_t out;
  JsonFormatter().format({"weir", spdlog_level(level), {line.data(), line.size()}}, out);
  std::fwrite(out.data(), 1, out.size(), stderr);
}

}  // namespace

void set_up_log(const Context& context) {
  constexpr std::array<std::string_view, 6> levels{"trace", "debug", "info", "warn", "error", "off"};
  const spdlog::level::level_enum level = spdlog::level::from_str(context.log_level);
  if (level == spdlog::level::off && context.log_level != "off") {
    throw ConfigError("unknown log level '" + context.log_level + "'", suggest(context.log_level, levels));
  }
  if (level == spdlog::level::off) {
    log::set_writer({}, log::Level::critical);
    return;
  }
  std::unique_ptr<spdlog::formatter> formatter;
  if (context.json_log) {
    formatter = std::make_unique<JsonFormatter>();
  } else {
    formatter = std::make_unique<TextFormatter>();
  }
  auto logger = std::make_shared<spdlog::logger>("weir", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_formatter(std::move(formatter));
  logger->set_level(level);
  log::set_writer(
      [logger](log::Level of, std::string_view line) {
        const status_line::Aside aside(status_line::On::error);
        logger->log(spdlog_level(of), line);
      },
      static_cast<log::Level>(level));
}

void put_lines(const Context& context, log::Level level, std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    put_line(context, level, line);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
}

int report_failure(const Context& context, const std::exception& error) {
  const auto say = [&context](const std::string& what) {
    put_line(context, log::Level::error, context.json_log ? what : "weir: " + what);
  };
  if (const auto* const mistakes = dynamic_cast<const ConfigError*>(&error)) {
    for (const Diagnostic& diagnostic : mistakes->diagnostics()) say(to_string(diagnostic));
    return kUsage;
  }
  const auto* const system = dynamic_cast<const std::system_error*>(&error);
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    say("out of memory");
  } else if (system != nullptr && system->code() == std::errc::resource_unavailable_try_again) {
    // Of all that Weir asks the system for, only threads are refused in this way.
    say("cannot start a thread: " + system->code().message() +
        " (raise the limit: ulimit -u, TasksMax= of the systemd unit)");
  } else {
    say(error.what());
  }
  return kFailed;
}

}  // namespace weir::app
