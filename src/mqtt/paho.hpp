// Eclipse Paho's C++ client. Inside of namespace weir this room hides Paho's own namespace, ::mqtt: it is paho there.
#pragma once

#include <mqtt/async_client.h>

namespace weir {
namespace paho = ::mqtt;
}  // namespace weir
