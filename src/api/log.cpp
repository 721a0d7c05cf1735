#include "core/log.hpp"

#include <weir/log.hpp>

#include <utility>

namespace weir {

void set_log(Log log, LogLevel least) {
  log::Writer writer;
  if (log) {
    writer = [log = std::move(log)](log::Level level, std::string_view line) {
      log(static_cast<LogLevel>(level), log::shown(line));
    };
  }
  log::set_writer(std::move(writer), static_cast<log::Level>(least));
}

}  // namespace weir
