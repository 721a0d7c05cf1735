// Connects to host:port and reads lines, as Spark's socketTextStream. While the peer is away, or accepts only to close,
// it is tried again, at first soon and then every few seconds; the log has one line per change. A peer that vanished
// without a word is noticed after about a minute of silence, by TCP keep-alive.
//
// A line longer than max_message is one refused message, as soon as it is known to be too long; what follows is read on
// behind its line break.
//
// A last line without newline is taken when the peer closes the connection in order, since nothing more can follow.
// When the connection breaks, the piece of a line that came last is dropped and named in the log: half a number would
// be a wrong reading. TCP has no positions: what was sent while nobody listened is gone.
#pragma once

#include <netdb.h>

#include <cstdint>
#include <string>

#include "core/posix_file.hpp"
#include "source/line_buffer.hpp"
#include "source/thread_source.hpp"

namespace weir::source {

class TcpSource final : public ThreadSource {
 public:
  TcpSource(const spec::Source& spec, std::string stream, std::uint32_t index, batch::MessageConsumer& consumer);
  ~TcpSource() override { stop(); }

 protected:
  bool run() override;

 private:
  enum class End : std::uint8_t { stopped, peer };
  /// A connected descriptor, or none and `why_` is set.
  FileDescriptor connect();
  FileDescriptor connect_to(const ::addrinfo& address);
  End read_lines(int fd);
  bool offer(const Lines& lines);
  void report(bool connected, const std::string& what);

  const spec::Source spec_;
  const std::string stream_;
  LineBuffer buffer_;
  bool begun_ = false;      // a line came over this connection
  bool received_ = false;   // something came over this connection
  bool fruitless_ = false;  // nothing came over the last one
  bool told_of_long_line_ = false;
  std::string why_;
  enum class Known : std::uint8_t { nothing, connected, away } known_ = Known::nothing;
};

}  // namespace weir::source
