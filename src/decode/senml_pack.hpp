// A SenML pack as records with their base values applied: RFC 8428 section 4, and the early draft
// (draft-jennings-core-senml-01) in which a pack is an object with the records in the member "e" and the base values
// beside it, a string value is called "sv", and numbers may be written as strings.
//
// Owned by one decoder, used by its thread. All texts live until the next pack is read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time_text.hpp"
#include "decode/token.hpp"

namespace weir::decode {

struct SenmlRecord {
  std::string_view base_name;
  std::string_view own_name;
  Token unit;                           ///< own or base
  Token value, base_value;              ///< "v" and "bv": numbers, or strings that hold one
  Token sum, base_sum;                  ///< "s" and "bs"
  Token text;                           ///< "vs", "sv", "vd", or "vb" as "true" or "false"
  std::optional<std::int64_t> time_ns;  ///< resolved; nothing where it cannot be read
  bool lacks_now = false;               ///< the time is relative, and there is nothing that it could be relative to

  /// @brief The resolved name is base name and own name, one behind the other.
  [[nodiscard]] bool has_resolved_name(std::string_view name) const noexcept {
    return name.size() == base_name.size() + own_name.size() && name.starts_with(base_name) && name.ends_with(own_name);
  }
};

class SenmlPack {
 public:
  /// Records of one pack; with more it is refused.
  static constexpr std::size_t kMostRecords = 65'536;
  /// @brief The most that the records of a pack take.
  [[nodiscard]] static std::size_t worst_case_bytes() noexcept;

  /// @param unit of "bt" and "t"; automatic: by magnitude, as TimeReader has it (RFC 8428 says seconds, the draft's
  /// users often wrote milliseconds)
  explicit SenmlPack(TimeUnit unit);
  ~SenmlPack();

  /// @brief Reads a pack. 64 bytes after the text must be readable.
  /// @param now_ns what times below 2^28 s are relative to (RFC 8428, 4.5.3); nothing: the newest absolute time so far
  /// @return false when it is no SenML, of a later version, or has too many records; then there are no records
  bool read(std::string_view text, std::optional<std::int64_t> now_ns);

  /// @brief The pack that was read last was refused for its version alone.
  [[nodiscard]] bool is_newer() const noexcept { return is_newer_; }

  /// @brief Gives back what a text of more than `bytes` took, and its records.
  void release_above(std::size_t bytes);

  /// @brief The resolved records in their order. Records that hold base values only are not among them.
  [[nodiscard]] const std::vector<SenmlRecord>& records() const noexcept { return records_; }

 private:
  /// A record as it is written.
  struct Raw {
    Token bn, bt, bu, bv, bs, bver, n, u, t, v, s, text;
  };
  struct Parser;  // keeps simdjson's large header out of here

  static bool is_understood(const Raw& raw) noexcept;
  void resolve(std::optional<std::int64_t> now_ns);

  TimeUnit unit_;
  bool is_newer_ = false;
  std::unique_ptr<Parser> parser_;
  std::optional<std::int64_t> newest_ns_;  ///< of the absolute times
  std::vector<Raw> raw_;
  std::vector<SenmlRecord> records_;
};

/// @brief base + value as decimal text in `out`, exactly as far as 18 decimal places reach; the value itself when there
/// is no base. A text that is no number gives one that is none; a sum beyond 64 bits gives one that is out of range.
Token senml_sum(const Token& base, const Token& value, std::string& out);

}  // namespace weir::decode
