#include "app/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <memory>

#include "core/error.hpp"
#include "core/spelling.hpp"

namespace weir::app {
namespace {

// One JSON object a line; the message is escaped, which spdlog's own patterns don't do.
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    time_.format(message, line_);
    fmt::format_to(fmt::appender(out), R"({{"time":"{}","level":"{}","message":")",
                   fmt::string_view(line_.data(), line_.size()), spdlog::level::to_string_view(message.level));
    line_.clear();
    for (const char c : message.payload) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        out.push_back('\\');
        out.push_back(c);
      } else if (byte < 0x20) {
        fmt::format_to(fmt::appender(out), "\\u{:04x}", byte);
      } else {
        out.push_back(c);
      }
    }
    const std::string_view end = "\"}\n";
    out.append(end.data(), end.data() + end.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }

 private:
  spdlog::pattern_formatter time_{"%Y-%m-%dT%H:%M:%S.%eZ", spdlog::pattern_time_type::utc, ""};
  spdlog::memory_buf_t line_;
};

}  // namespace

void set_up_log(const Context& context) {
  constexpr std::array<std::string_view, 6> levels{"trace", "debug", "info", "warn", "error", "off"};
  const spdlog::level::level_enum level = spdlog::level::from_str(context.log_level);
  if (level == spdlog::level::off && context.log_level != "off") {
    throw ConfigError("unknown log level '" + context.log_level + "'", suggest(context.log_level, levels));
  }
  auto logger = spdlog::stderr_color_mt("weir");
  if (context.json_log) {
    logger->set_formatter(std::make_unique<JsonFormatter>());
  } else {
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
  }
  logger->set_level(level);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace weir::app
