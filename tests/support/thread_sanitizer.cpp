// What ThreadSanitizer reports wrongly about libraries that are not compiled with it: the reference counts of Paho's
// tokens are atomic and spdlog's registry is a static, but what happens inside the libraries is invisible. Races in our
// callbacks are still reported.
#if defined(__SANITIZE_THREAD__)
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:mqtt::token::\n"
         "race:mqtt::async_client::remove_token\n"
         "race:spdlog::\n";
}
#endif
