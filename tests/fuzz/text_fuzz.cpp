// Any bytes as a file that may be compressed or in another encoding: nothing crashes, and bytes that come one by one
// give the same text and the same end as all of them at once.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "source/text_input.hpp"

using namespace weir;

namespace {

struct Outcome {
  std::string text;
  std::string problem;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read(std::string_view bytes, spec::TextEncoding encoding, std::size_t piece, std::size_t room) {
  constexpr std::size_t kMostText = 1U << 20U;  // a few bytes may stand for very much
  source::TextInput input("fuzz", encoding);
  std::array<char, 4096> space{};
  Outcome outcome;
  const source::TextInput::Raw raw = [&](std::span<char> to) {
    const std::size_t got = bytes.copy(to.data(), std::min(piece, to.size()));
    bytes.remove_prefix(got);
    return got;
  };
  try {
    while (outcome.text.size() < kMostText) {
      const std::size_t most = std::min(room, kMostText - outcome.text.size());
      const std::size_t got = input.read(std::span(space).first(most), raw);
      outcome.text.append(space.data(), got);
      if (got == 0) {
        input.require_whole();
        break;
      }
    }
  } catch (const Error& error) {
    outcome.problem = error.what();
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  [[maybe_unused]] static const bool silent = [] {
    log::set_writer({}, log::Level::critical);
    return true;
  }();
  if (size < 1) {
    return 0;
  }
  const auto encoding = static_cast<spec::TextEncoding>(data[0] % 5);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = read(bytes, encoding, bytes.size(), 4096);
  if (read(bytes, encoding, 1, 4096) != whole || read(bytes, encoding, 7, 5) != whole) {
    std::abort();
  }
  const bool converted = encoding != spec::TextEncoding::automatic && encoding != spec::TextEncoding::utf8;
  // The bound above may cut a character in two.
  if (converted && whole.text.size() < (1U << 20U) && find_invalid_utf8(whole.text) != std::string_view::npos) {
    std::abort();
  }
  return 0;
}
