#include "core/spelling.hpp"
