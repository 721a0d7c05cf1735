#include "execute/cuda/plan_image.hpp"

#include <algorithm>
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

kernels::AggregateView aggregate_view(const plan::QueryPlan& query, const CellLayout& layout,
                                      const plan::Aggregate& aggregate) {
  using kernels::PartKind;
  using kernels::ValueKind;
  using plan::AggregateKind;
  kernels::AggregateView view;
  if (aggregate.argument < 0) return view;  // count(): the readings
  const auto a = static_cast<std::size_t>(aggregate.argument);
  view.count = layout.count_word(a);
  view.unit = static_cast<std::uint64_t>(pow10(query.arguments[a].places));
  const auto has = [&](ValueKind kind, std::uint8_t least, PartKind part) {
    view.kind = kind;
    view.least = least;
    view.word = layout.word_of(a, part);
  };
  const auto has_squares = [&](ValueKind kind, std::uint8_t least) {
    has(kind, least, PartKind::sum);
    view.other = layout.word_of(a, PartKind::squares);
  };
  switch (aggregate.kind) {
    case AggregateKind::sum:
      has(ValueKind::sum, 1, PartKind::sum);
      break;
    case AggregateKind::avg:
      has(ValueKind::mean, 1, PartKind::sum);
      break;
    case AggregateKind::min:
      has(ValueKind::value, 1, PartKind::min);
      break;
    case AggregateKind::max:
      has(ValueKind::value, 1, PartKind::max);
      break;
    case AggregateKind::first:
      has(ValueKind::value, 1, PartKind::first);
      ++view.word;  // behind the time
      break;
    case AggregateKind::last:
      has(ValueKind::value, 1, PartKind::last);
      ++view.word;
      break;
    case AggregateKind::range:
      has(ValueKind::range, 1, PartKind::min);
      view.other = layout.word_of(a, PartKind::max);
      break;
    case AggregateKind::stddev:
      has_squares(ValueKind::stddev, 2);
      break;
    case AggregateKind::stddev_pop:
      has_squares(ValueKind::stddev, 1);
      break;
    case AggregateKind::variance:
      has_squares(ValueKind::variance, 2);
      break;
    case AggregateKind::variance_pop:
      has_squares(ValueKind::variance, 1);
      break;
    case AggregateKind::count:
    case AggregateKind::quantile:
    case AggregateKind::distinct:
      break;
  }
  return view;
}

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
    if (having_on_device(query)) {
      having = add_program(query.having);
      std::vector<kernels::AggregateView> views;
      for (const plan::Aggregate& each : query.aggregates) views.push_back(aggregate_view(query, layout, each));
      aggregates = image.add(views);
    }
    arguments = image.add(std::vector<kernels::ArgumentView>(query.arguments.size()));
  }
  Image image;
  ProgramOffsets where;
  ProgramOffsets having;
  std::vector<ProgramOffsets> programs;
  std::size_t scales = 0;
  std::size_t parts = 0;
  std::size_t sketches = 0;
  std::size_t aggregates = 0;
  std::size_t arguments = 0;
};

}  // namespace

bool having_on_device(const plan::QueryPlan& query) noexcept {
  return !query.having.empty() &&
         std::none_of(query.having.code.begin(), query.having.code.end(), [&](const ops::Instruction& step) {
           if (step.op != ops::Op::field) return false;
           const plan::AggregateKind kind = query.aggregates[step.index].kind;
           return kind == plan::AggregateKind::quantile || kind == plan::AggregateKind::distinct;
         });
}

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

  if (!having_on_device(query)) return;
  having_.program = program_view(query.having, drawn.having);
  having_.aggregates = at(drawn.aggregates, static_cast<const kernels::AggregateView*>(nullptr));
  having_.words = layout.words();
}

}  // namespace weir::execute::cuda
