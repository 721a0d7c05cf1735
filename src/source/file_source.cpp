#include "source/file_source.hpp"

namespace weir::source {

void FileSource::open() {
  const std::string path = spec_.kind == spec::SourceKind::standard_input ? "-" : spec_.path;
  reader_.emplace(path, spec_.format, index(), resume_.offset, &stopping());
}

bool FileSource::run() {
  batch::MessageView message;
  while (reader_->next(message)) {
    if (consumer().offer(message) == batch::Accepted::stopped) {
      return false;
    }
  }
  return !reader_->stopped();
}

}  // namespace weir::source
