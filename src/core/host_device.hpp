// Functions that run on the host and, compiled by nvcc, on the device.
#pragma once

#ifdef __CUDACC__
#define WEIR_HOST_DEVICE __host__ __device__
#else
#define WEIR_HOST_DEVICE
#endif
