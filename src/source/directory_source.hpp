// Watches a directory: pushes the files that are there, then every file that appears. Never ends by itself.
#pragma once

#include <optional>

#include "source/directory_reader.hpp"
#include "source/thread_source.hpp"

namespace weir::source {

class DirectorySource final : public ThreadSource {
 public:
  DirectorySource(const spec::Source& spec, std::uint32_t index, batch::MessageConsumer& consumer,
                  const batch::SourcePosition& resume)
      : ThreadSource(index, consumer), spec_(spec), resume_(resume) {}
  ~DirectorySource() override { stop(); }

 protected:
  void open() override {
    reader_.emplace(spec_, index(), resume_, DirectoryReader::Taking::when_complete, &stopping());
  }
  bool run() override;

 private:
  const spec::Source spec_;
  const batch::SourcePosition resume_;
  std::optional<DirectoryReader> reader_;
};

}  // namespace weir::source
