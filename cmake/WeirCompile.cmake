# How every Weir target is compiled: warnings, exact floating point, sanitizers.
#
# -ffp-contract=off is part of the contract on results: a fused multiply-add would give other bits on machines
# that have one. The plain baseline of the architecture is used, never -march=native.
add_library(weir_compile INTERFACE)
target_compile_options(weir_compile INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wnull-dereference -Wdouble-promotion -Wcast-align -Wformat=2
  -ffp-contract=off)
if(WEIR_WERROR)
  target_compile_options(weir_compile INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives of these two inside the standard library at -O2 and above.
  target_compile_options(weir_compile INTERFACE -Wno-null-dereference -Wno-stringop-overflow -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # What is said to GCC alone.
  target_compile_options(weir_compile INTERFACE -Wno-unknown-pragmas -Wno-unknown-warning-option)
endif()
if(WEIR_SANITIZE)
  target_compile_options(weir_compile INTERFACE -fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  target_link_options(weir_compile INTERFACE -fsanitize=${WEIR_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Checked 128-bit multiplication is a call that libgcc does not have.
    target_link_options(weir_compile INTERFACE --rtlib=compiler-rt --unwindlib=libgcc)
  endif()
endif()
if(WEIR_FUZZERS AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "WEIR_FUZZERS needs clang: configure with -DCMAKE_CXX_COMPILER=clang++-14 (preset 'asan' does)")
endif()
target_include_directories(weir_compile INTERFACE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")

# A sanitizer build spends its time on compiling, most of that on optimising checked code. Only what computes for long is
# optimised: the rooms of the engine and those that the fuzzers search, the tests with oracles. In the rest the same checks
# are compiled without, in half the time. The coverage counters that lead a fuzzer are in the rooms that one searches;
# AddressSanitizer's runtime has the functions that they call in the programs that are no fuzzers.
set(WEIR_FUZZED_ROOMS core spec ops batch journal decode plan state)
set(WEIR_COMPUTING_ROOMS execute execute_cuda)
set(WEIR_COMPUTING_TESTS core ops kernels contract)

function(weir_room_sanitizers target name)
  set(options)
  if(WEIR_SANITIZE AND (name IN_LIST WEIR_FUZZED_ROOMS OR name IN_LIST WEIR_COMPUTING_ROOMS))
    list(APPEND options -O1)
  endif()
  if(WEIR_FUZZERS AND WEIR_SANITIZE MATCHES "address" AND name IN_LIST WEIR_FUZZED_ROOMS)
    list(APPEND options -fsanitize=fuzzer-no-link)
  endif()
  target_compile_options(${target} PRIVATE ${options})
  weir_precompiled(${target} room ${options})
endfunction()

# weir_precompiled(TARGET room|program|test options...): lets TARGET read what nearly every file includes from one
# precompiled header, made once for each set of compiler options. Half of a sanitizer build is spent on reading these.
# The other builds do without: a file that forgets an include is found there, and GCC 12 gains nothing.
set(WEIR_STANDARD_HEADERS
  <algorithm> <array> <atomic> <charconv> <chrono> <cmath> <condition_variable> <cstdint> <cstring> <deque> <filesystem>
  <fstream> <functional> <map> <memory> <mutex> <optional> <set> <span> <sstream> <stdexcept> <string> <string_view>
  <thread> <tuple> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)
function(weir_precompiled target kind)
  if(NOT WEIR_SANITIZE)
    return()
  endif()
  # Else each making of it would have other bytes, and nothing that reads it would be in ccache.
  set(reproducible $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
  string(MAKE_C_IDENTIFIER "weir_precompiled_${kind}${ARGN}" owner)
  if(NOT TARGET ${owner})
    set(headers ${WEIR_STANDARD_HEADERS})
    set(source "${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp")
    # Libraries and programs are compiled for other kinds of position independence.
    if(kind STREQUAL "room")
      add_library(${owner} OBJECT EXCLUDE_FROM_ALL "${source}")
    else()
      add_executable(${owner} EXCLUDE_FROM_ALL "${source}")
    endif()
    target_link_libraries(${owner} PRIVATE weir_compile fmt::fmt)
    if(kind STREQUAL "test")
      list(APPEND headers <gmock/gmock.h> <gtest/gtest.h>)
      target_link_libraries(${owner} PRIVATE GTest::gtest GTest::gmock)
    endif()
    target_compile_options(${owner} PRIVATE ${ARGN} ${reproducible})
    set_target_properties(${owner} PROPERTIES PCH_INSTANTIATE_TEMPLATES ON)
    target_precompile_headers(${owner} PRIVATE ${headers})
  endif()
  target_compile_options(${target} PRIVATE ${reproducible})
  target_precompile_headers(${target} REUSE_FROM ${owner})
endfunction()

# weir_room(NAME SOURCES files... ROOMS rooms... LINK private-libraries... PUBLIC_LINK public-libraries...)
# A room without sources is an interface target.
function(weir_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;ROOMS;LINK;PUBLIC_LINK" ${ARGN})
  list(TRANSFORM ROOM_ROOMS PREPEND weir_)
  if(ROOM_SOURCES)
    add_library(weir_${name} STATIC ${ROOM_SOURCES})
    target_link_libraries(weir_${name} PUBLIC ${ROOM_ROOMS} ${ROOM_PUBLIC_LINK} PRIVATE $<BUILD_INTERFACE:weir_compile> ${ROOM_LINK})
    target_include_directories(weir_${name} PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>")
    weir_room_sanitizers(weir_${name} ${name})
  else()
    add_library(weir_${name} INTERFACE)
    target_link_libraries(weir_${name} INTERFACE ${ROOM_ROOMS} ${ROOM_PUBLIC_LINK})
    target_include_directories(weir_${name} INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>")
  endif()
  set_property(GLOBAL APPEND PROPERTY WEIR_LIBRARY_TARGETS weir_${name})
  set_target_properties(weir_${name} PROPERTIES EXPORT_NAME ${name})
endfunction()

# weir_test(ROOM SOURCES files... LINK libraries...): one test program a room, weir_test_<room>, each case known to CTest.
function(weir_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;LINK" ${ARGN})
  add_executable(weir_test_${name} ${TEST_SOURCES})
  target_link_libraries(weir_test_${name} PRIVATE weir_compile ${TEST_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(weir_test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  # Most tests wait for what they test: optimising them takes longer than they run.
  set(options)
  if(WEIR_SANITIZE AND name IN_LIST WEIR_COMPUTING_TESTS)
    set(options -O1)
  elseif(NOT WEIR_SANITIZE AND NOT name IN_LIST WEIR_COMPUTING_TESTS)
    set(options -O0)
  endif()
  target_compile_options(weir_test_${name} PRIVATE ${options})
  weir_precompiled(weir_test_${name} test ${options})
  gtest_discover_tests(weir_test_${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${WEIR_TEST_PREFIX}${name}."
    PROPERTIES TIMEOUT 300 LABELS ${name})
  set_property(GLOBAL APPEND PROPERTY WEIR_TEST_TARGETS weir_test_${name})
endfunction()

# weir_fuzzer(NAME SOURCES files... LINK libraries...): a libFuzzer program, weir_fuzz_<name> (clang only). CTest runs it
# for WEIR_FUZZ_SECONDS from a fixed seed; inputs worth keeping lie in tests/fuzz/corpus/<name>.
function(weir_fuzzer name)
  if(NOT WEIR_FUZZERS)
    return()
  endif()
  cmake_parse_arguments(FUZZ "" "" "SOURCES;LINK" ${ARGN})
  add_executable(weir_fuzz_${name} ${FUZZ_SOURCES})
  target_link_libraries(weir_fuzz_${name} PRIVATE weir_compile ${FUZZ_LINK})
  target_compile_options(weir_fuzz_${name} PRIVATE -fsanitize=fuzzer -O1)
  target_link_options(weir_fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_include_directories(weir_fuzz_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  # libFuzzer writes what it finds into the first directory and only reads the others.
  set(corpora "${CMAKE_CURRENT_BINARY_DIR}/corpus/${name}")
  file(MAKE_DIRECTORY ${corpora})
  if(IS_DIRECTORY "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}")
    list(APPEND corpora "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}")
  endif()
  add_test(NAME "${WEIR_TEST_PREFIX}fuzz.${name}"
    COMMAND weir_fuzz_${name} -seed=1 -max_total_time=${WEIR_FUZZ_SECONDS} -timeout=20 -rss_limit_mb=4096 -verbosity=0
            -print_final_stats=1 "-artifact_prefix=${CMAKE_CURRENT_BINARY_DIR}/${name}-" ${corpora})
  math(EXPR timeout "${WEIR_FUZZ_SECONDS} + 120")
  set_tests_properties("${WEIR_TEST_PREFIX}fuzz.${name}" PROPERTIES TIMEOUT ${timeout} LABELS fuzz)
  set_property(GLOBAL APPEND PROPERTY WEIR_FUZZER_TARGETS weir_fuzz_${name})
endfunction()
