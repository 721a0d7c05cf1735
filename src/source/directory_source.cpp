#include "source/directory_source.hpp"

namespace weir::source {

bool DirectorySource::run() {
  batch::MessageView message;
  do {
    while (reader_->next(message)) {
      if (consumer().offer(message) == batch::Accepted::stopped) {
        return false;
      }
    }
    reader_->scan();
  } while (!stopping().wait_for(reader_->pause()));
  return false;
}

}  // namespace weir::source
