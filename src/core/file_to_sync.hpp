// A file whose bytes a checkpoint counts on: whoever writes the checkpoint syncs it first.
//
// A descriptor of its own, so that the writer may go on, rename or close the file meanwhile.
#pragma once

#include <string>

#include "core/posix_file.hpp"

namespace weir {

struct FileToSync {
  FileDescriptor file;  ///< none: `path` is a directory whose names are to be made durable
  std::string path;     ///< for the error
};

}  // namespace weir
