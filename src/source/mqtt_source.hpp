// Receives from an MQTT broker with Eclipse Paho's asynchronous client.
//
// Threads. Paho has one receiving thread for the whole process and holds a global lock while it runs a callback, so
// on_message() only copies the message into the consumer and returns; when it returns, the acknowledgement leaves.
// Connecting, subscribing, waiting and disconnecting happen in the source's own thread, one step after the other; see
// mqtt_connection.hpp.
//
// What counts. A message that no topic of the source matches, or that is above max_message, is handed on as refused,
// with a sample of its payload; see mqtt_admission.hpp. With MQTT 5 the broker is told the limit and does not send what
// is above it; a message over 3.1.1 is in memory before anything can be done about it.
//
// Back-pressure. A held message waits for room inside the callback, which stops the client from reading. If there is
// none for kLongestBlock, the pipeline stands still, perhaps waiting for an MQTT sink whose client needs the same lock:
// the message is set aside, the client disconnects, and connects again when the consumer has taken what was set aside.
//
// Delivery. QoS 0 is sheddable, QoS 1 and 2 are held. With MQTT 5 the callback comes before the acknowledgement for
// both. With 3.1.1 and QoS 2 it comes after the first one, so a crash between loses the message, unless
// `persistence_dir` lets the client keep it in a file; without it start() warns.
//
// Retained messages are no readings unless the source asks for them: MQTT 5 is told not to send them, those of 3.1.1
// are dropped, are not counted as received, and their number is logged when the source stops. Where they are asked for,
// they count once: a session that is resumed is not subscribed again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "source/source.hpp"

namespace weir::source {

/// @brief stop() may wait for a message that the consumer holds back, so keep reading (or close the journal) meanwhile.
/// Stop the source before the journal is closed: a message that the journal refuses is acknowledged all the same.
std::unique_ptr<Source> make_mqtt_source(const spec::Source& spec, const std::string& stream, std::uint32_t index,
                                         batch::MessageConsumer& consumer, const SourceOptions& options);

}  // namespace weir::source
