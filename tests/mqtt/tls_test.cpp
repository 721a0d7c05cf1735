// Why a TLS connection does not come about, against a real broker.
#include "mqtt/tls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/broker.hpp"
#include "support/certificates.hpp"

namespace weir::mqtt {
namespace {

using ::testing::HasSubstr;
using weir::test::Broker;
using weir::test::Certificates;

std::string problem(const Broker& broker, const TlsFiles& files, const std::string& host = "127.0.0.1") {
  return tls_problem("mqtts://" + host + ":" + std::to_string(broker.port()), files, std::chrono::seconds(5));
}

class TlsProblem : public ::testing::Test {
 protected:
  TlsProblem() {
    certificates.sign("good", "IP:127.0.0.1,DNS:localhost");
    certificates.self_signed("stranger");
  }
  [[nodiscard]] TlsFiles trusting(const std::string& authority) const {
    return {.ca = certificates.crt(authority), .cert = {}, .key = {}};
  }
  Certificates certificates;
};

TEST_F(TlsProblem, AGoodCertificateIsNone) {
  const Broker broker({}, certificates.listener("good"));
  EXPECT_EQ(problem(broker, trusting("ca")), "");
  EXPECT_EQ(problem(broker, trusting("ca"), "localhost"), "");
}

TEST_F(TlsProblem, AnAuthorityThatIsNotTrustedIsNamed) {
  const Broker broker({}, certificates.listener("good"));
  EXPECT_THAT(problem(broker, trusting("stranger")), HasSubstr("unable to get local issuer certificate"));
  EXPECT_THAT(problem(broker, {}), HasSubstr("unable to get local issuer certificate"));
}

TEST_F(TlsProblem, ACertificateThatNobodySignedIsNamed) {
  const Broker broker({}, certificates.listener("stranger"));
  EXPECT_THAT(problem(broker, trusting("ca")), HasSubstr("self-signed certificate"));
}

TEST_F(TlsProblem, AnExpiredCertificateIsNamed) {
  certificates.sign("expired", "IP:127.0.0.1", -1);
  const Broker broker({}, certificates.listener("expired"));
  EXPECT_THAT(problem(broker, trusting("ca")), HasSubstr("certificate has expired"));
}

TEST_F(TlsProblem, ACertificateForAnotherHostIsNamed) {
  certificates.sign("elsewhere", "DNS:elsewhere.example");
  const Broker broker({}, certificates.listener("elsewhere"));
  EXPECT_THAT(problem(broker, trusting("ca")), HasSubstr("hostname mismatch"));
  EXPECT_THAT(problem(broker, trusting("ca"), "localhost"), HasSubstr("is not for 'localhost'"));
}

TEST_F(TlsProblem, AListenerWithoutTlsIsNamed) {
  const Broker broker;
  const std::string text = problem(broker, trusting("ca"));
  EXPECT_THAT(text, HasSubstr("check scheme and port")) << text;
  EXPECT_FALSE(speaks_tls(broker.uri(), std::chrono::seconds(5)));
}

TEST_F(TlsProblem, AListenerWithTlsIsFoundThroughAnAddressWithout) {
  const Broker broker({}, certificates.listener("good"));
  EXPECT_TRUE(speaks_tls(broker.uri(), std::chrono::seconds(5)));
}

TEST_F(TlsProblem, ABrokerThatWantsACertificateIsNamed) {
  const Broker broker(
      {}, certificates.listener("good") + "cafile " + certificates.crt("ca") + "\nrequire_certificate true\n");
  EXPECT_THAT(problem(broker, trusting("ca")), HasSubstr("check cert_file and key_file"));
  TlsFiles files = trusting("ca");
  files.cert = certificates.crt("stranger");
  files.key = certificates.key("stranger");
  EXPECT_THAT(problem(broker, files), HasSubstr("it refuses us"));
  certificates.sign("client", "DNS:client");
  files.cert = certificates.crt("client");
  files.key = certificates.key("client");
  EXPECT_EQ(problem(broker, files), "");
}

TEST_F(TlsProblem, AHostThatCannotBeReachedIsNone) {
  Broker broker;
  broker.stop();
  EXPECT_EQ(problem(broker, trusting("ca")), "") << "Paho says that";
}

TEST(TlsFiles, WhatIsWrongWithEachIsNamed) {
  using File = TlsFileMistake::File;
  Certificates certificates;
  certificates.self_signed("other");
  const weir::test::TemporaryDirectory files;
  weir::test::write_bytes(files / "garbage", "no certificate\n");
  weir::test::write_bytes(files / "empty", "");
  const std::string ca = certificates.crt("ca");
  const std::string key = certificates.key("ca");
  EXPECT_EQ(tls_file_mistake({}).file, File::none);
  EXPECT_EQ(tls_file_mistake({.ca = ca, .cert = ca, .key = key}).file, File::none);
  for (const char* bad : {"garbage", "empty"}) {
    const TlsFileMistake no_ca = tls_file_mistake({.ca = files / bad, .cert = {}, .key = {}});
    EXPECT_EQ(no_ca.file, File::ca);
    EXPECT_THAT(no_ca.text, HasSubstr("it holds no certificate in PEM"));
    EXPECT_EQ(tls_file_mistake({.ca = {}, .cert = files / bad, .key = key}).file, File::cert);
    EXPECT_EQ(tls_file_mistake({.ca = {}, .cert = ca, .key = files / bad}).file, File::key);
  }
  const TlsFileMistake another = tls_file_mistake({.ca = {}, .cert = ca, .key = certificates.key("other")});
  EXPECT_EQ(another.file, File::key);
  EXPECT_EQ(another.text, "it is not the key of the certificate");
}

}  // namespace
}  // namespace weir::mqtt
