#include "sink/end_of_connection.hpp"

namespace weir::sink {

void EndOfConnection::begin(PublishForm wanted) {
  forms_.clear();
  for (int qos = wanted.qos; qos >= 0; --qos) {
    if (wanted.retain) forms_.push_back({qos, true});
    forms_.push_back({qos, false});
  }
  form_ = 0;
  ever_acknowledged_ = false;
}

EndOfConnection::Verdict EndOfConnection::ended(bool alone, bool certain) {
  window_ = 1;
  if (!alone) return Verdict::go_on;
  ++tries_;
  const bool lesser = !certain && !ever_acknowledged_ && form_ + 1 < forms_.size();
  if (!certain && tries_ < kTries - (lesser ? 1 : 0)) return Verdict::go_on;
  if (lesser) {
    ++form_;
    return Verdict::go_on;
  }
  form_ = 0;
  tries_ = 0;
  return Verdict::give_front_up;
}

bool EndOfConnection::acknowledged() {
  tries_ = 0;
  if (careful()) window_ = window_ < kCareful ? window_ + 1 : kAll;
  const bool lesser = form_ > 0;
  if (lesser) begin(form());
  ever_acknowledged_ = true;
  return lesser;
}

}  // namespace weir::sink
