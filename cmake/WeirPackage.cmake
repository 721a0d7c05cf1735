# What `cmake --install` and `cpack` make: the program, and the library with its headers and CMake package.
#
#   component program       weir
#   component development   include/weir, the rooms as static libraries, find_package(weir) → weir::weir
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# What users link, here and installed: weir::weir.
add_library(weir_library INTERFACE)
target_link_libraries(weir_library INTERFACE weir_api)
target_include_directories(weir_library INTERFACE "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
set_target_properties(weir_library PROPERTIES EXPORT_NAME weir)
add_library(weir::weir ALIAS weir_library)

if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

if(TARGET weir)
  install(TARGETS weir RUNTIME COMPONENT program)
endif()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/NOTICE"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT program)

set(weir_config_directory "${CMAKE_INSTALL_LIBDIR}/cmake/weir")
get_property(weir_libraries GLOBAL PROPERTY WEIR_LIBRARY_TARGETS)
install(TARGETS ${weir_libraries} weir_library EXPORT weir_targets ARCHIVE COMPONENT development)
install(EXPORT weir_targets NAMESPACE weir:: DESTINATION "${weir_config_directory}" COMPONENT development)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/weir" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  COMPONENT development FILES_MATCHING PATTERN "*.hpp")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/weirConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/weirConfig.cmake" INSTALL_DESTINATION "${weir_config_directory}")
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/weirConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/weirConfig.cmake" "${PROJECT_BINARY_DIR}/weirConfigVersion.cmake"
  DESTINATION "${weir_config_directory}" COMPONENT development)

set(CPACK_PACKAGE_NAME weir)
set(CPACK_PACKAGE_VENDOR "the Weir authors")
set(CPACK_PACKAGE_CONTACT "the Weir authors <weir@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_GENERATOR "TGZ;DEB")
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME weir)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libweir-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "libpaho-mqttpp-dev, libpaho-mqtt-dev, libssl-dev, libfmt-dev, libsimdjson-dev, libtomlplusplus-dev, libhwy-dev, libxxhash-dev,
  libzstd-dev, zlib1g-dev, pkg-config")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS mosquitto)
# dpkg-shlibdeps finds the libraries of the program; it is not on every build machine.
find_program(WEIR_DPKG_SHLIBDEPS dpkg-shlibdeps)
mark_as_advanced(WEIR_DPKG_SHLIBDEPS)
if(WEIR_DPKG_SHLIBDEPS)
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
else()
  set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS
    "libc6, libstdc++6, libpaho-mqttpp3-1, libpaho-mqtt1.3, libssl3, libspdlog1.10, libfmt9, libsimdjson14, libhwy1, libxxhash0,
    libzstd1, zlib1g")
endif()
include(CPack)
