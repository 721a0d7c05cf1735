// The simplest backend that can be right: it keeps every counted reading and computes each window from all of them.
//
// Shares no code with execute/cpu, so that a wrong optimisation there shows as a difference. Unlike the oracle it is
// made of the product's own interfaces and arithmetic (ops), and can be put wherever a backend goes.
#pragma once

#include <memory>

#include "execute/backend.hpp"

namespace weir::contract {

std::unique_ptr<execute::Backend> make_naive_backend();

}  // namespace weir::contract
