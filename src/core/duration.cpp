#include "core/duration.hpp"
