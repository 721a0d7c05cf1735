// A sink's position as bytes: a sequence of netstrings ("5:hello,"), so that paths and payloads may hold anything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::sink {

void append_field(std::string& out, std::string_view bytes);
void append_field(std::string& out, std::uint64_t value);
void append_field(std::string& out, std::int64_t value);

/// Reads fields back in order. @throws Error "the sink's position in the checkpoint is damaged".
class PositionReader {
 public:
  explicit PositionReader(std::string_view bytes) : rest_(bytes) {}
  std::string_view bytes();
  std::uint64_t number();
  std::int64_t signed_number();
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace weir::sink
