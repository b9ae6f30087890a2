# What `cmake --install` puts where: two libraries with their headers, how CMake and pkg-config find them,
# the programs, and what there is to read.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# What lwp.h and lwpmock.h need; ci/install builds with these and no others.
set(lwp_headers
  lwp/lwp.h
  lwp/client/backoff.h lwp/client/client.h lwp/client/connection.h lwp/client/consumer.h lwp/client/details.h
  lwp/client/dial.h lwp/client/inbox.h lwp/client/life.h lwp/client/offset_store.h lwp/client/options.h
  lwp/client/outbox.h lwp/client/producer.h lwp/client/request.h lwp/client/security.h
  lwp/net/clock.h lwp/net/link.h lwp/net/tls.h lwp/net/transport.h lwp/net/world.h
  lwp/session/queue.h lwp/session/session.h
  lwp/wire/bytes.h lwp/wire/commands.def lwp/wire/crc.h lwp/wire/dialect.h lwp/wire/frame.h lwp/wire/header.def
  lwp/wire/header.h lwp/wire/message.h lwp/wire/status.def lwp/wire/status.h lwp/wire/tlv.def lwp/wire/tlv.h
  mock_server/broker_options.h mock_server/lwpmock.h)
foreach(header ${lwp_headers})
  cmake_path(GET header PARENT_PATH folder)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${folder})
endforeach()

foreach(library lwp lwpmock)
  set_target_properties(${library}_shared PROPERTIES EXPORT_NAME ${library})
  target_include_directories(${library}_shared INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  install(TARGETS ${library}_shared EXPORT lwp LIBRARY)
endforeach()
install(FILES ${lwp_static_file} DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS lwp lwp-mock lwp-conform RUNTIME)

# Beside liblwp.a a user links what it is built on.
set(lwp_private_packages "liblz4 json-c openssl")
set(lwp_static_libraries lz4 json-c ssl crypto pthread)
if(LWP_ISAL)
  string(APPEND lwp_private_packages " libisal")
  list(APPEND lwp_static_libraries isal)
endif()

set(lwp_cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/lwp)
install(EXPORT lwp NAMESPACE lwp:: FILE lwpTargets.cmake DESTINATION ${lwp_cmake_folder})
configure_package_config_file(cmake/lwpConfig.cmake.in ${CMAKE_BINARY_DIR}/lwpConfig.cmake
  INSTALL_DESTINATION ${lwp_cmake_folder}
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
# Before 1.0 each minor release may change the interface.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/lwpConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/lwpConfig.cmake ${CMAKE_BINARY_DIR}/lwpConfigVersion.cmake
  DESTINATION ${lwp_cmake_folder})

# From where the files lie, so that `cmake --install --prefix` may put them anywhere.
file(RELATIVE_PATH lwp_pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
foreach(library lwp lwpmock)
  configure_file(cmake/${library}.pc.in ${CMAKE_BINARY_DIR}/${library}.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/${library}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

# What makes a page of reports, and what reports can be checked against.
install(PROGRAMS conformance/html/report.py DESTINATION ${CMAKE_INSTALL_DATADIR}/lwp)
install(FILES
  conformance/html/report.css conformance/html/report.html.jinja conformance/html/report.js
  conformance/junit.xsd conformance/report.schema.json
  DESTINATION ${CMAKE_INSTALL_DATADIR}/lwp)

file(GLOB lwp_documents ${CMAKE_SOURCE_DIR}/docs/*.md)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${lwp_documents} DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
install(DIRECTORY lwp/examples DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.c")
