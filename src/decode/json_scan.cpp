#include "decode/json_scan.hpp"

namespace weir::decode {
namespace {

// Lines that each begin a value inside the one before are looked at so many times before they are given up.
constexpr std::size_t kDeepest = 128;

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool ends_scalar(char c) noexcept {
  return is_blank(c) || std::string_view(",:]}[{\"").find(c) != std::string_view::npos;
}

}  // namespace

void JsonScanner::begin(std::size_t at) {
  at_ = at;
  next_ = Next::value;
  in_string_ = false;
  escaped_ = false;
  open_.clear();
}

JsonScanner::Status JsonScanner::scan(std::string_view text) {
  while (true) {
    if (in_string_) {
      if (!take_string(text)) {
        return Status::damaged;
      }
      if (in_string_) {
        return Status::incomplete;
      }
    }
    while (at_ < text.size() && is_blank(text[at_])) {
      ++at_;
    }
    if (at_ == text.size()) {
      return Status::incomplete;
    }
    if (!take(text)) {
      return Status::damaged;
    }
    if (open_.empty() && !in_string_) {
      return Status::complete;
    }
  }
}

/// The token at at_; behind it, or false where it cannot stand there.
bool JsonScanner::take(std::string_view text) {
  const char c = text[at_];
  const bool wants_value = next_ == Next::value || next_ == Next::value_or_end;
  switch (c) {
    case '{':
    case '[':
      return wants_value && open(c);
    case '}':
    case ']':
      return close(c);
    case ',':
      if (next_ != Next::comma_or_end) {
        return false;
      }
      next_ = open_.back() == '{' ? Next::name : Next::value;
      ++at_;
      return true;
    case ':':
      if (next_ != Next::colon) {
        return false;
      }
      next_ = Next::value;
      ++at_;
      return true;
    case '"':
      if (!wants_value && next_ != Next::name && next_ != Next::name_or_end) {
        return false;
      }
      in_string_ = true;
      ++at_;
      return true;
    default:
      break;
  }
  if (!wants_value || open_.empty()) {
    return false;
  }
  while (at_ < text.size() && !ends_scalar(text[at_])) {
    ++at_;
  }
  after_value();
  return true;
}

bool JsonScanner::open(char bracket) {
  if (open_.size() == kDeepest) {
    return false;
  }
  open_.push_back(bracket);
  next_ = bracket == '{' ? Next::name_or_end : Next::value_or_end;
  ++at_;
  return true;
}

bool JsonScanner::close(char bracket) {
  const bool may_end =
      next_ == Next::comma_or_end || next_ == (bracket == '}' ? Next::name_or_end : Next::value_or_end);
  if (!may_end || open_.empty() || open_.back() != (bracket == '}' ? '{' : '[')) {
    return false;
  }
  open_.pop_back();
  after_value();
  ++at_;
  return true;
}

/// To behind the closing quote, or to the end of the text; false at a line break, which no string holds.
bool JsonScanner::take_string(std::string_view text) {
  for (; at_ < text.size(); ++at_) {
    const char c = text[at_];
    if (c == '\n') {
      return false;
    }
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      ++at_;
      in_string_ = false;
      next_ = next_ == Next::name || next_ == Next::name_or_end ? Next::colon : Next::comma_or_end;
      return true;
    }
  }
  return true;
}

}  // namespace weir::decode
