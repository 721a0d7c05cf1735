// Lines from a TCP server in the test.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <string>

#include "source/collector.hpp"
#include "source/source.hpp"
#include "support/process.hpp"
#include "support/tcp_server.hpp"

namespace weir::source {
namespace {

using test::eventually;
using test::TcpServer;

std::unique_ptr<Source> reader_of(const std::string& host, std::uint16_t port, Collector& collector) {
  spec::Source spec;
  spec.kind = spec::SourceKind::tcp;
  spec.host = host;
  spec.port = port;
  auto source = make_source(spec, "lines", 2, collector, {});
  source->start();
  return source;
}

TEST(Tcp, LinesArriveWholeHoweverTheyAreCut) {
  TcpServer server;
  Collector collector;
  const auto source = reader_of("127.0.0.1", server.port(), collector);
  TcpServer::Connection peer = server.accept();
  const std::string text = "one\ntwo\n\nthree\n";
  for (const char c : text) {
    peer.send({&c, 1});
  }
  ASSERT_TRUE(eventually([&] { return collector.text() == text; })) << collector.text();
  for (const Received& message : collector.all()) {
    EXPECT_TRUE(message.payload.ends_with('\n'));
    EXPECT_EQ(message.source, 2U);
    EXPECT_EQ(message.delivery, batch::Delivery::hold_back);
  }
  EXPECT_TRUE(collector.all().front().starts_file);
}

TEST(Tcp, LongLinesAndMuchTextComeThrough) {
  TcpServer server;
  Collector collector;
  const auto source = reader_of("127.0.0.1", server.port(), collector);
  TcpServer::Connection peer = server.accept();
  std::string text;
  for (std::size_t i = 0; i < 200; ++i) {
    text += std::string(i * i * 37 % 400'000, static_cast<char>('a' + i % 26)) + "\n";
  }
  peer.send(text);
  peer.close();
  ASSERT_TRUE(eventually([&] { return collector.text().size() == text.size(); }));
  EXPECT_EQ(collector.text(), text);
}

TEST(Tcp, LastLineWithoutNewlineIsTakenWhenThePeerClosesInOrder) {
  TcpServer server;
  Collector collector;
  const auto source = reader_of("127.0.0.1", server.port(), collector);
  TcpServer::Connection peer = server.accept();
  peer.send("one\ntwo");
  peer.close();
  EXPECT_TRUE(eventually([&] { return collector.text() == "one\ntwo"; })) << collector.text();
}

TEST(Tcp, PieceOfALineIsDroppedWhenTheConnectionBreaks) {
  TcpServer server;
  Collector collector;
  const auto source = reader_of("127.0.0.1", server.port(), collector);
  {
    TcpServer::Connection peer = server.accept();
    peer.send("one\n21.");
    ASSERT_TRUE(eventually([&] { return collector.text() == "one\n"; }));
    peer.reset();
  }
  TcpServer::Connection peer = server.accept();
  peer.send("two\n");
  ASSERT_TRUE(eventually([&] { return collector.count() == 2; }));
  EXPECT_EQ(collector.text(), "one\ntwo\n");
}

TEST(Tcp, PeerThatComesLaterOrComesBackIsFound) {
  auto server = std::make_unique<TcpServer>();
  const std::uint16_t port = server->port();
  server.reset();
  Collector collector;
  const auto source = reader_of("localhost", port, collector);
  for (const std::string line : {"first\n", "second\n"}) {
    server = std::make_unique<TcpServer>(AF_INET, port);
    TcpServer::Connection peer = server->accept();
    peer.send(line);
    ASSERT_TRUE(eventually([&] { return collector.text().ends_with(line); }));
    EXPECT_TRUE(collector.all().back().starts_file);
    server.reset();
  }
  EXPECT_EQ(collector.text(), "first\nsecond\n");
  EXPECT_EQ(collector.finishes(), 0);
}

TEST(Tcp, Ipv6IsSpoken) {
  std::unique_ptr<TcpServer> server;
  try {
    server = std::make_unique<TcpServer>(AF_INET6);
  } catch (const std::exception&) {
    GTEST_SKIP() << "this machine has no IPv6 loopback";
  }
  Collector collector;
  const auto source = reader_of("::1", server->port(), collector);
  server->accept().send("six\n");
  EXPECT_TRUE(eventually([&] { return collector.text() == "six\n"; }));
}

TEST(Tcp, StopReturnsWhileThePeerIsAwayAndWhileItIsSilent) {
  TcpServer server;
  Collector collector;
  const auto silent = reader_of("127.0.0.1", server.port(), collector);
  const TcpServer::Connection peer = server.accept();
  silent->stop();
  silent->stop();
  const auto away = reader_of("127.0.0.1", 1, collector);
  away->stop();
  EXPECT_EQ(collector.count(), 0U);
}

TEST(Tcp, LineThatIsTooLongCostsItselfAndNothingBehindIt) {
  TcpServer server;
  Collector collector;
  const auto source = reader_of("127.0.0.1", server.port(), collector);
  TcpServer::Connection peer = server.accept();
  const std::string piece(1U << 20U, 'x');
  for (int i = 0; i < 40; ++i) {
    peer.send(piece);
  }
  // It may never end, so it is told of before it does.
  ASSERT_TRUE(eventually([&] { return collector.refused() == 1; }));
  peer.send("x\none\ntwo\n");
  ASSERT_TRUE(eventually([&] { return collector.text() == "one\ntwo\n"; }));
  EXPECT_EQ(collector.refused(), 1U);
  EXPECT_EQ(collector.all()[0].refused, batch::Malformed::too_large);
  EXPECT_EQ(collector.all()[0].payload, piece.substr(0, batch::kRefusedSample));
  EXPECT_TRUE(collector.failures().empty());
  peer.close();
  TcpServer::Connection again = server.accept();
  again.send("three\n");
  EXPECT_TRUE(eventually([&] { return collector.text() == "one\ntwo\nthree\n"; }));
}

TEST(Tcp, PeerThatClosesAtOnceIsTriedLessAndLessOften) {
  TcpServer server;
  Collector collector;
  const auto source = reader_of("127.0.0.1", server.port(), collector);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 5; ++i) {
    server.accept().close();
  }
  // 0.1 + 0.2 + 0.4 + 0.8 s lie between five connections.
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1400));
  server.accept().send("at last\n");
  EXPECT_TRUE(eventually([&] { return collector.text() == "at last\n"; }));
}

TEST(Tcp, SilentConnectionIsProbedWithinAMinute) {
  TcpServer server;
  Collector collector;
  const auto source = reader_of("127.0.0.1", server.port(), collector);
  const TcpServer::Connection peer = server.accept();
  // The kernel's table has the timer of each connection: "02" is keep-alive, with what is left of it in 1/100 s.
  const std::string to = fmt::format(":{:04X} 01 ", server.port());
  long left = -1;
  ASSERT_TRUE(eventually([&] {
    std::ifstream table("/proc/net/tcp");
    for (std::string line; std::getline(table, line);) {
      const std::size_t at = line.find(to);
      if (at != std::string::npos && line.substr(at + to.size() + 18, 3) == "02:") {
        left = std::stol(line.substr(at + to.size() + 21, 8), nullptr, 16);
      }
    }
    return left >= 0;
  }));
  EXPECT_LE(left, 3'000);
}

}  // namespace
}  // namespace weir::source
