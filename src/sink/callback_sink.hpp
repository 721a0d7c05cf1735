// Rows handed to a function of the application. Engine's thread only.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "sink/sink.hpp"

namespace weir::sink {

class CallbackSink final : public Sink {
 public:
  explicit CallbackSink(std::function<void(const batch::ResultTable&)> callback) : callback_(std::move(callback)) {}
  void open(const std::vector<const batch::ResultShape*>& shapes) override { (void)shapes; }
  void write(const batch::ResultTable& table) override { callback_(table); }

 private:
  std::function<void(const batch::ResultTable&)> callback_;
};

}  // namespace weir::sink
