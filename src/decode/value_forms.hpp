// Values that are not written as Weir reads numbers: words for "no value", decimal commas, groups of three digits,
// units behind the number, switches. Turns each into what the reading's writer takes, or leaves it as it is, to be
// refused.
//
// Owned by one decoder, used by its thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decode/token.hpp"
#include "spec/stream_spec.hpp"

namespace weir::decode {

class ValueForms {
 public:
  /// @param stream, format must outlive this
  ValueForms(const spec::Stream& stream, const spec::Format& format);

  /// @brief Every value is written as Weir reads it: apply() would change nothing.
  [[nodiscard]] bool plain() const noexcept { return plain_; }

  /// @brief The values of the schema's fields, as they are to be read. Valid until the next call.
  /// @param fields one each field of the schema
  std::span<const Token> apply(std::span<const Token> fields);

 private:
  [[nodiscard]] bool is_missing(std::string_view text) const noexcept;
  [[nodiscard]] Token read_switch(const Token& value) const noexcept;
  /// The number in `text`, with a decimal point and nothing else; empty where it is none.
  std::string_view read_number(std::string_view text, bool strip_unit, std::string& number) const;
  void say_ignored(std::size_t field, const Token& value);

  const spec::Stream& stream_;
  const char decimal_;
  const std::string& thousands_;
  bool plain_ = true;
  std::vector<Token> values_;         ///< [field]
  std::vector<std::string> numbers_;  ///< [field]
  std::vector<bool> said_;            ///< [field] that a value that is no number was left out
};

}  // namespace weir::decode
