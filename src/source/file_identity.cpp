#include "source/file_identity.hpp"

#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

namespace weir::source {
namespace {

constexpr std::size_t kEndBytes = 4096;

bool read_at(int file, char* to, std::size_t bytes, std::uint64_t offset) {
  while (bytes > 0) {
    const ::ssize_t got = ::pread(file, to, bytes, static_cast<::off_t>(offset));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    to += got;
    offset += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

std::optional<std::uint64_t> hash_of_ends(int file, std::uint64_t bytes) {
  std::array<char, 2 * kEndBytes> ends;
  const std::size_t end = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kEndBytes));
  if (!read_at(file, ends.data(), end, 0) || !read_at(file, ends.data() + end, end, bytes - end)) {
    return std::nullopt;
  }
  return XXH3_64bits_withSeed(ends.data(), 2 * end, bytes);
}

}  // namespace weir::source
