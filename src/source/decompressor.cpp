#include "source/decompressor.hpp"

#include <zconf.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <limits>

#include "core/error.hpp"

namespace weir::source {
namespace {

uInt most(std::size_t bytes) noexcept {
  return static_cast<uInt>(std::min<std::size_t>(bytes, std::numeric_limits<uInt>::max()));
}

class Gzip final : public Decompressor {
 public:
  Gzip() {
    constexpr int kOnlyGzip = 16;  // zlib.h: added to the window's bits
    if (::inflateInit2(&stream_, MAX_WBITS + kOnlyGzip) != Z_OK) {
      throw Error("no memory to read compressed data");
    }
  }
  ~Gzip() override { ::inflateEnd(&stream_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  Step step(std::span<const char> in, std::span<char> out) override {
    Step step;
    if (between_) {
      // Tapes and block devices fill up the last block with zeros, which gzip passes over too.
      padding_ |= !in.empty() && !first_ && in.front() == '\0';
      if (padding_) {
        const auto other = std::find_if(in.begin(), in.end(), [](char c) { return c != '\0'; });
        step.taken = static_cast<std::size_t>(other - in.begin());
        step.problem = other == in.end() ? "" : "what follows the compressed data is none";
        return step;
      }
      if (in.empty()) {
        return step;
      }
      ::inflateReset(&stream_);
      between_ = first_ = false;
    }
    // zlib does not write through the pointer, but has no const in this build.
    stream_.next_in =
        reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));  // NOLINT(*-const-cast,*-reinterpret-cast)
    stream_.avail_in = most(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());  // NOLINT(*-reinterpret-cast)
    stream_.avail_out = most(out.size());
    const uInt had = stream_.avail_in;
    const uInt room = stream_.avail_out;
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    step.taken = had - stream_.avail_in;
    step.made = room - stream_.avail_out;
    if (result == Z_STREAM_END) {
      between_ = true;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      step.problem = std::string("the compressed data is damaged (") +
                     (stream_.msg != nullptr ? stream_.msg : ::zError(result)) + ")";
    }
    return step;
  }
  [[nodiscard]] bool may_end() const noexcept override { return between_ && !first_; }

 private:
  ::z_stream stream_{};
  bool first_ = true;
  bool between_ = true;
  bool padding_ = false;
};

class Zstd final : public Decompressor {
 public:
  Zstd() : stream_(::ZSTD_createDStream()) {
    if (!stream_) {
      throw Error("no memory to read compressed data");
    }
    ::ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kLargestWindowLog);
  }

  Step step(std::span<const char> in, std::span<char> out) override {
    ::ZSTD_inBuffer input{in.data(), in.size(), 0};
    ::ZSTD_outBuffer output{out.data(), out.size(), 0};
    const std::size_t result = ::ZSTD_decompressStream(stream_.get(), &output, &input);
    Step step;
    step.taken = input.pos;
    step.made = output.pos;
    if (::ZSTD_isError(result) == 0) {
      // At the end of a frame the next call begins another one; without input it does not.
      may_end_ = result == 0 || (may_end_ && input.pos == 0 && output.pos == 0);
    } else if (::ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge) {
      step.problem = "the compressed data needs a window of more than 8 MiB; compress it without --long and --ultra";
    } else if (::ZSTD_getErrorCode(result) == ZSTD_error_prefix_unknown && may_end_) {
      step.problem = "what follows the compressed data is none";
    } else {
      step.problem = std::string("the compressed data is damaged (") + ::ZSTD_getErrorName(result) + ")";
    }
    return step;
  }
  [[nodiscard]] bool may_end() const noexcept override { return may_end_; }

 private:
  struct Free {
    void operator()(::ZSTD_DStream* stream) const noexcept { ::ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<::ZSTD_DStream, Free> stream_;
  bool may_end_ = false;
};

}  // namespace

std::unique_ptr<Decompressor> make_decompressor(Compression compression) {
  if (compression == Compression::gzip) {
    return std::make_unique<Gzip>();
  }
  return std::make_unique<Zstd>();
}

}  // namespace weir::source
