// Pushes a file, several files one after the other, or standard input: a reader in a thread.
#pragma once

#include <memory>

#include "source/source.hpp"
#include "source/thread_source.hpp"

namespace weir::source {

class FileSource final : public ThreadSource {
 public:
  FileSource(const spec::Source& spec, std::uint32_t index, batch::MessageConsumer& consumer,
             const batch::SourcePosition& resume)
      : ThreadSource(index, consumer), spec_(spec), resume_(resume) {}
  ~FileSource() override { stop(); }

 protected:
  void open() override;
  bool run() override;

 private:
  const spec::Source spec_;
  const batch::SourcePosition resume_;
  std::unique_ptr<BlockReader> reader_;
};

}  // namespace weir::source
