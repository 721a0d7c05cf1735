#include "state/serial.hpp"

#include "core/error.hpp"

namespace weir::state {

void Reader::cut_short() {
  throw Error("checkpoint is cut short");
}

}  // namespace weir::state
