#include "source/file_source.hpp"

namespace weir::source {

void FileSource::open() {
  reader_ = make_block_reader(spec_, index(), resume_, &stopping());
}

bool FileSource::run() {
  batch::MessageView message;
  while (reader_->next(message)) {
    if (consumer().offer(message) == batch::Accepted::stopped) {
      return false;
    }
  }
  return !stopping().is_set();
}

}  // namespace weir::source
