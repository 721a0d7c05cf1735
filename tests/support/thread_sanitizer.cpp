// What ThreadSanitizer reports wrongly about libraries that are not compiled with it: the reference counts of Paho's
// tokens are atomic, but what happens inside the library is invisible. Races in our callbacks are still reported.
#if defined(__SANITIZE_THREAD__)
#define WEIR_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEIR_THREAD_SANITIZER 1
#endif
#endif

#if defined(WEIR_THREAD_SANITIZER)
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libpaho-mqttpp3.so\n"
         "race:libpaho-mqttpp3.so\n"
         "mutex:libpaho-mqtt3as.so\n"
         "deadlock:libpaho-mqtt3as.so\n"
         "race:mqtt::\n"
         "race:mqtt::token::\n"
         "race:mqtt::async_client::remove_token\n";
}
#endif

// A connection that the broker cuts in the middle of a handshake leaks inside Paho's C library.
#if defined(__SANITIZE_ADDRESS__)
#define WEIR_LEAK_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_LEAK_SANITIZER 1
#endif
#endif

#if defined(WEIR_LEAK_SANITIZER)
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libpaho-mqtt\n";
}
#endif
