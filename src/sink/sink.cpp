#include "sink/sink.hpp"

#include <fmt/core.h>

#include <utility>

#include "core/error.hpp"
#include "sink/callback_sink.hpp"
#include "sink/console_sink.hpp"
#include "sink/file_sink.hpp"
#include "sink/mqtt_sink.hpp"
#include "sink/stream_sink.hpp"

namespace weir::sink {

std::unique_ptr<Sink> make_sink(const spec::Sink& spec, OnRefusedRow on_refused, FileSystem& files) {
  switch (spec.kind) {
    case spec::SinkKind::console:
      return std::make_unique<ConsoleSink>(spec.rows, spec.names);
    case spec::SinkKind::file:
      if (spec.to_standard_output()) return std::make_unique<StreamSink>(spec);
      return std::make_unique<FileSink>(spec, files);
    case spec::SinkKind::callback:
      if (!spec.callback) throw ConfigError(fmt::format("sink '{}' has no callback", spec.name));
      return std::make_unique<CallbackSink>(spec.callback);
    case spec::SinkKind::mqtt:
      return std::make_unique<MqttSink>(spec, std::move(on_refused));
  }
  throw ConfigError(fmt::format("sink '{}' is of no known type", spec.name));
}

}  // namespace weir::sink
