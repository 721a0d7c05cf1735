#include "batch/key_dictionary.hpp"
