#include "decode/decoder.hpp"
#include "decode/formats.hpp"

namespace weir::decode {

std::unique_ptr<Decoder> make_decoder(const spec::Stream& stream, const spec::Source& source) {
  switch (source.format.kind) {
    case spec::FormatKind::json:
      return make_json_decoder(stream, source);
    case spec::FormatKind::csv:
      return make_csv_decoder(stream, source);
    case spec::FormatKind::senml:
      return make_senml_decoder(stream, source);
    case spec::FormatKind::raw:
      return make_raw_decoder(stream, source);
    case spec::FormatKind::line:
      return make_line_decoder(stream, source);
  }
  return nullptr;
}

bool line_oriented(const spec::Source& source) noexcept {
  return source.kind != spec::SourceKind::mqtt && source.kind != spec::SourceKind::custom;
}

}  // namespace weir::decode
