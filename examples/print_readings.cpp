// The first streaming program: prints the readings of a file, batch by batch.
//   build/release/examples/print_readings sample-data/machines.jsonl
#include <iostream>
#include <weir/weir.hpp>
using namespace weir::literals;

int main(int argc, char** argv) try {
  weir::Schema schema;
  schema.keys = {"sensor"};
  schema.fields = {{"temperature", 3}};
  schema.time = "t";

  weir::StreamingContext context;
  context.file_stream(argc > 1 ? argv[1] : "sample-data/machines.jsonl", schema)
      .filter("temperature > -40"_expr)
      .map("temperature * 9 / 5 + 32"_expr, "fahrenheit", 1)
      .print();
  context.start();
  context.await_termination();
} catch (const std::exception& error) {
  std::cerr << "print_readings: " << error.what() << '\n';
  return 1;
}
