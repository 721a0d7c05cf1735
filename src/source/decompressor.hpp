// Takes gzip (RFC 1952) and Zstandard (RFC 8878) apart, in bounded memory: any number of members or frames, one behind
// the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "source/text_form.hpp"

namespace weir::source {

/// The most that a decompressor takes: the window of a frame and what is around it. zstd needs 8 MiB up to its level
/// 19; frames that were made with --long or --ultra and need more are refused.
inline constexpr unsigned kLargestWindowLog = 23;
inline constexpr std::uint64_t kDecompressorBytes = (std::uint64_t{1} << kLargestWindowLog) + (1U << 20U);

/// One thread.
class Decompressor {
 public:
  struct Step {
    std::size_t taken = 0;  ///< of the input
    std::size_t made = 0;   ///< of the output
    std::string problem;    ///< not empty: nothing more comes, after what was made
  };
  virtual ~Decompressor() = default;
  virtual Step step(std::span<const char> in, std::span<char> out) = 0;
  /// @brief Whether the input may end here: between two members.
  [[nodiscard]] virtual bool may_end() const noexcept = 0;
};

/// @throws Error when there is no memory. `compression` is not none.
std::unique_ptr<Decompressor> make_decompressor(Compression compression);

}  // namespace weir::source
