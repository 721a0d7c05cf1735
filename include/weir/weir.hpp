// Everything a DStream program needs: #include <weir/weir.hpp>.
#pragma once

#include <weir/aggregate.hpp>
#include <weir/dstream.hpp>
#include <weir/error.hpp>
#include <weir/expression.hpp>
#include <weir/log.hpp>
#include <weir/receiver.hpp>
#include <weir/rows.hpp>
#include <weir/schema.hpp>
#include <weir/streaming_context.hpp>
