// Which class reads which kind of source.
#include <fmt/format.h>

#include "core/error.hpp"
#include "source/custom_source.hpp"
#include "source/directory_source.hpp"
#include "source/file_source.hpp"
#include "source/mqtt_source.hpp"
#include "source/simulator_source.hpp"
#include "source/source.hpp"
#include "source/tcp_source.hpp"

namespace weir::source {

std::unique_ptr<Source> make_source(const spec::Source& spec, const std::string& stream, std::uint32_t index,
                                    batch::MessageConsumer& consumer, const batch::SourcePosition& resume,
                                    const SourceOptions& options) {
  switch (spec.kind) {
    case spec::SourceKind::mqtt:
      return make_mqtt_source(spec, stream, index, consumer, options);
    case spec::SourceKind::file:
    case spec::SourceKind::standard_input:
      return std::make_unique<FileSource>(spec, index, consumer, resume);
    case spec::SourceKind::directory:
      return std::make_unique<DirectorySource>(spec, index, consumer, resume);
    case spec::SourceKind::tcp:
      return std::make_unique<TcpSource>(spec, stream, index, consumer);
    case spec::SourceKind::simulator:
      return std::make_unique<SimulatorSource>(spec, index, consumer, resume);
    case spec::SourceKind::custom:
      return std::make_unique<CustomSource>(spec, stream, index, consumer);
  }
  throw Error(fmt::format("stream '{}': unknown kind of source", stream));
}

std::unique_ptr<BlockReader> make_block_reader(const spec::Source& spec, std::uint32_t index,
                                               const batch::SourcePosition& resume, const StopEvent* stop) {
  switch (spec.kind) {
    case spec::SourceKind::file:
    case spec::SourceKind::standard_input:
      if (!spec.paths.empty()) {
        return std::make_unique<DirectoryReader>(spec, index, resume, DirectoryReader::Taking::as_it_stands, stop);
      }
      return std::make_unique<FileReader>(spec, index, resume, stop);
    case spec::SourceKind::directory:
      return std::make_unique<DirectoryReader>(spec, index, resume, DirectoryReader::Taking::as_it_stands, stop);
    default:
      throw Error("only files, directories and standard input can be replayed");
  }
}

}  // namespace weir::source
