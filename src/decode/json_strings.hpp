// JSON that stands in strings of a document, as in {"payload":"{\"t\":20.1}"}: parsed where a path leads into the
// string.
//
// Owned by one decoder, used by its thread. Included by the JSON rooms only, for simdjson's header is large.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "decode/padded_text.hpp"

namespace weir::decode {

class JsonStrings {
 public:
  /// So many strings of one reading are looked into.
  static constexpr std::size_t kMost = 1024;

  /// @param padding bytes after each text that must be readable
  explicit JsonStrings(std::size_t padding) : padding_(padding) {}

  /// @brief What was read so far is no longer needed.
  void clear() noexcept { used_ = 0; }
  [[nodiscard]] bool full() const noexcept { return used_ == kMost; }

  /// @brief The document in `text`, or nullptr where it is none; it and its texts live until clear(). Not where full().
  simdjson::ondemand::document* parse(std::string_view text) {
    if (used_ == entries_.size()) {
      entries_.push_back(std::make_unique<Entry>(padding_));
    }
    Entry& entry = *entries_[used_++];
    entry.text.assign(text);
    const bool parsed =
        entry.parser.iterate(entry.text.view().data(), text.size(), text.size() + padding_).get(entry.document) ==
        simdjson::SUCCESS;
    return parsed ? &entry.document : nullptr;
  }

  /// @brief Gives back what rare messages took; not while what was read is needed.
  void release_above(std::size_t bytes) {
    constexpr std::size_t kKept = 16;
    if (entries_.size() > kKept) {
      entries_.resize(kKept);
    }
    for (const std::unique_ptr<Entry>& entry : entries_) {
      entry->text.release_above(bytes);
      if (entry->parser.capacity() > bytes) {
        entry->parser = simdjson::ondemand::parser();
      }
    }
  }

 private:
  struct Entry {
    explicit Entry(std::size_t padding) : text(padding) {}
    PaddedText text;
    simdjson::ondemand::parser parser;
    simdjson::ondemand::document document;
  };

  std::size_t padding_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::size_t used_ = 0;
};

}  // namespace weir::decode
