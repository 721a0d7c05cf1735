#include "core/exact.hpp"
