// Arrays in the memory of a device and page-locked arrays of the host, owned. They are reserved at the size that was
// planned (memory_plan.hpp), and grow where that does not suffice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "kernels/launch/device.hpp"

namespace weir::execute::cuda {

/// Elements on the device.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(kernels::Device& device) noexcept : device_(&device) {}
  ~DeviceArray() { device_->release(data_); }
  DeviceArray(DeviceArray&& other) noexcept
      : device_(other.device_), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  [[nodiscard]] T* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return size_ * sizeof(T); }

  /// @brief Room for `size` elements, what there was is lost. True when it was allocated anew.
  bool reserve(std::size_t size) {
    if (size <= size_) return false;
    device_->release(std::exchange(data_, nullptr));
    size_ = 0;
    data_ = static_cast<T*>(device_->allocate(size * sizeof(T)));
    size_ = size;
    return true;
  }
  /// @brief Room for `size` elements, at least twice what there was; the first `keep` stay.
  bool grow(std::size_t size, std::size_t keep, const kernels::Stream& stream) {
    if (size <= size_) return false;
    DeviceArray larger(*device_);
    larger.reserve(std::max(size, 2 * size_));
    if (keep > 0) device_->copy_within(larger.data_, data_, keep * sizeof(T), stream);
    device_->synchronize(stream);
    *this = std::move(larger);
    return true;
  }

 private:
  kernels::Device* device_;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Page-locked elements on the host.
template <class T>
class PinnedArray {
 public:
  explicit PinnedArray(kernels::Device& device) noexcept : device_(&device) {}
  ~PinnedArray() { device_->release_pinned(data_); }
  PinnedArray(PinnedArray&& other) noexcept
      : device_(other.device_), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  PinnedArray& operator=(PinnedArray&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  PinnedArray(const PinnedArray&) = delete;
  PinnedArray& operator=(const PinnedArray&) = delete;

  [[nodiscard]] T* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return size_ * sizeof(T); }
  T& operator[](std::size_t i) const noexcept { return data_[i]; }

  /// @brief Room for `size` elements, at least twice what there was; what there was is lost. Nothing may be under way
  /// from or to it.
  void reserve(std::size_t size) {
    if (size <= size_) return;
    const std::size_t room = std::max(size, 2 * size_);
    device_->release_pinned(std::exchange(data_, nullptr));
    size_ = 0;
    data_ = static_cast<T*>(device_->allocate_pinned(room * sizeof(T)));
    size_ = room;
  }

 private:
  kernels::Device* device_;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace weir::execute::cuda
