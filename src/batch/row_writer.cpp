#include "batch/row_writer.hpp"
