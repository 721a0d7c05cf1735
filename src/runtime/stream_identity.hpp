// What the saved state of a stream belongs to: what its readings mean, and where each source reads. A position counts
// in one file, and the records of a journal have their source's index, so another configuration would misread both.
//
// Free functions; any thread. The texts are compared and shown to people, never parsed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/stream_spec.hpp"
#include "state/serial.hpp"

namespace weir::runtime {

struct SourceIdentity {
  std::string place;          ///< "file 'a.jsonl'", "mqtt broker 'mqtt://h:1883'"
  std::string meaning;        ///< what decides how its messages are read: topics with their captures, the format
  bool has_position = false;  ///< it goes on at a position of that place
  friend bool operator==(const SourceIdentity&, const SourceIdentity&) = default;
};

struct StreamIdentity {
  /// "keys …", "fields …", "time …", "dedupe by …": what decides the meaning of its readings.
  std::vector<std::string> meaning;
  std::vector<SourceIdentity> sources;
  friend bool operator==(const StreamIdentity&, const StreamIdentity&) = default;
};

/// @param journal the recording that a replay reads in place of the sources; empty: none
StreamIdentity identity_of(const spec::Stream& stream, const std::string& journal = {});

void save_identity(const StreamIdentity& identity, state::Writer& out);
/// @throws Error on cut-off bytes.
StreamIdentity read_identity(state::Reader& in);

/// How a stream differs from the one that its state was saved for, one line each.
struct IdentityChanges {
  std::vector<std::string> refused;  ///< the state cannot be used
  std::vector<std::string> unread;   ///< it can, unless the journal holds messages that are still to be read
  std::vector<std::string> harmless;
  std::vector<std::size_t> reset;  ///< sources whose decoder begins anew
  [[nodiscard]] bool none() const noexcept { return refused.empty() && unread.empty() && harmless.empty(); }
};
IdentityChanges compare(const std::string& stream, const StreamIdentity& saved, const StreamIdentity& now);

}  // namespace weir::runtime
