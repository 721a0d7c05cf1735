#include "execute/cuda/plan_image.hpp"

#include <cstring>
#include <span>

#include "core/decimal.hpp"

namespace weir::execute::cuda {
namespace {

/// Arrays one behind the other, each 16-byte aligned; offsets until the device's address is known.
class Image {
 public:
  template <class T>
  std::size_t add(std::span<const T> values) {
    bytes_.resize((bytes_.size() + 15) / 16 * 16);
    const std::size_t offset = bytes_.size();
    bytes_.resize(offset + values.size_bytes());
    if (!values.empty()) std::memcpy(bytes_.data() + offset, values.data(), values.size_bytes());
    return offset;
  }
  template <class T>
  std::size_t add(const std::vector<T>& values) {
    return add(std::span<const T>(values));
  }
  [[nodiscard]] const std::vector<std::byte>& bytes() const noexcept { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

struct ProgramOffsets {
  std::size_t code = 0;
  std::size_t constants = 0;
};

/// Everything but the arguments, which hold addresses.
struct Drawn {
  Drawn(const plan::QueryPlan& query, const CellLayout& layout) {
    const auto add_program = [this](const ops::Program& program) {
      return ProgramOffsets{image.add(program.code), image.add(program.constants)};
    };
    where = add_program(query.where);
    for (const plan::Argument& argument : query.arguments) programs.push_back(add_program(argument.program));
    std::vector<double> values;
    for (const int places : query.field_places) values.push_back(static_cast<double>(pow10(places)));
    scales = image.add(values);
    parts = image.add(layout.parts());
    sketches = image.add(sketches_of(query));
    arguments = image.add(std::vector<kernels::ArgumentView>(query.arguments.size()));
  }
  Image image;
  ProgramOffsets where;
  std::vector<ProgramOffsets> programs;
  std::size_t scales = 0;
  std::size_t parts = 0;
  std::size_t sketches = 0;
  std::size_t arguments = 0;
};

}  // namespace

std::uint64_t PlanImage::planned_bytes(const plan::QueryPlan& query) {
  return Drawn(query, CellLayout(query)).image.bytes().size();
}

std::vector<kernels::SketchView> sketches_of(const plan::QueryPlan& query) {
  std::vector<kernels::SketchView> sketches;
  for (std::size_t a = 0; a < query.arguments.size(); ++a) {
    if ((query.arguments[a].parts & plan::kPartQuantile) != 0) {
      sketches.push_back({kernels::SketchKind::quantile, static_cast<std::uint32_t>(a)});
    }
  }
  for (const plan::Aggregate& aggregate : query.aggregates) {
    if (aggregate.kind == plan::AggregateKind::distinct) {
      sketches.push_back({kernels::SketchKind::distinct, static_cast<std::uint32_t>(aggregate.key)});
    }
  }
  return sketches;
}

PlanImage::PlanImage(kernels::Device& device, const plan::QueryPlan& query, const CellLayout& layout,
                     const kernels::Stream& stream)
    : memory_(device), sketches_(sketches_of(query)) {
  const Drawn drawn(query, layout);
  std::vector<kernels::ArgumentView> arguments(query.arguments.size());
  memory_.reserve(drawn.image.bytes().size());
  const auto at = [&]<class T>(std::size_t offset, const T* /*type*/) {
    return reinterpret_cast<const T*>(memory_.data() + offset);
  };
  const auto program_view = [&](const ops::Program& program, const ProgramOffsets& offsets) {
    return ops::ProgramView{at(offsets.code, static_cast<const ops::Instruction*>(nullptr)), program.code.size(),
                            at(offsets.constants, static_cast<const double*>(nullptr)), program.result};
  };
  for (std::size_t a = 0; a < arguments.size(); ++a) {
    const plan::Argument& argument = query.arguments[a];
    arguments[a].program = program_view(argument.program, drawn.programs[a]);
    arguments[a].scale = static_cast<double>(pow10(argument.places));
    arguments[a].field = argument.field;
    arguments[a].first_part = layout.first_part(a);
    arguments[a].parts = layout.part_count(a);
  }
  std::vector<std::byte> bytes = drawn.image.bytes();
  if (!arguments.empty()) {
    std::memcpy(bytes.data() + drawn.arguments, arguments.data(), arguments.size() * sizeof(kernels::ArgumentView));
  }
  device.copy_to_device(memory_.data(), bytes.data(), bytes.size(), stream);
  device.synchronize(stream);

  view_.where = program_view(query.where, drawn.where);
  view_.arguments = at(drawn.arguments, static_cast<const kernels::ArgumentView*>(nullptr));
  view_.parts = at(drawn.parts, static_cast<const kernels::Part*>(nullptr));
  view_.scales = at(drawn.scales, static_cast<const double*>(nullptr));
  view_.sketches = at(drawn.sketches, static_cast<const kernels::SketchView*>(nullptr));
  view_.argument_count = static_cast<std::uint32_t>(arguments.size());
  view_.part_count = static_cast<std::uint32_t>(layout.parts().size());
  view_.words = layout.words();
  view_.front_words = layout.front_words();
  view_.sketch_count = static_cast<std::uint32_t>(sketches_.size());
  view_.pane_ns = query.pane_ns;
  view_.slide_ns = query.slide_ns;
  view_.window_ns = query.window_ns;
}

}  // namespace weir::execute::cuda
