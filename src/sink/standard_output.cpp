#include "sink/standard_output.hpp"

#include <cerrno>
#include <cstring>

#include "core/error.hpp"
#include "core/status_line.hpp"

namespace weir::sink {

void write_text(std::string& text, std::FILE* stream) {
  if (text.empty()) return;
  const status_line::Aside aside(status_line::On::output);
  const std::size_t written = std::fwrite(text.data(), 1, text.size(), stream);
  const bool failed = written != text.size() || std::fflush(stream) != 0;
  text.clear();
  if (failed) throw Error(std::string("cannot write to standard output: ") + std::strerror(errno));
}

}  // namespace weir::sink
