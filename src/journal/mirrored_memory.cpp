#include "journal/mirrored_memory.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.hpp"

namespace weir::journal {

MirroredMemory::MirroredMemory(std::uint64_t at_least) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  size_ = (std::max<std::uint64_t>(at_least, 1) + page - 1) / page * page;
  const auto fail = [&](int error) {
    throw Error(fmt::format("cannot reserve {} bytes for the queue of messages: {}; lower journal_memory", size_,
                            std::strerror(error)));
  };
  const int fd = ::memfd_create("weir-journal", MFD_CLOEXEC);
  if (fd < 0) {
    fail(errno);
  }
  void* both = MAP_FAILED;
  if (::ftruncate(fd, static_cast<off_t>(size_)) == 0) {
    both = ::mmap(nullptr, 2 * size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  bool mapped = both != MAP_FAILED;
  for (const std::uint64_t half : {std::uint64_t{0}, size_}) {
    if (mapped) {
      mapped = ::mmap(static_cast<std::byte*>(both) + half, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
                      0) != MAP_FAILED;
    }
  }
  const int error = errno;
  ::close(fd);
  if (!mapped) {
    if (both != MAP_FAILED) {
      ::munmap(both, 2 * size_);
    }
    fail(error);
  }
  data_ = static_cast<std::byte*>(both);
}

MirroredMemory::~MirroredMemory() {
  ::munmap(data_, 2 * size_);
}

}  // namespace weir::journal
