# Third-party libraries, from distribution packages only. On Debian 12 yyjson and llhttp are Debian 13's
# packages, unpacked by `./run deps` into a folder of the project (ESTEIRA_DEPS_PREFIX).
find_package(PkgConfig REQUIRED)
set(ESTEIRA_DEPS_PREFIX "${CMAKE_SOURCE_DIR}/.deps/usr" CACHE PATH "Where ./run deps unpacked packages")
if(EXISTS "${ESTEIRA_DEPS_PREFIX}")
  list(PREPEND CMAKE_PREFIX_PATH "${ESTEIRA_DEPS_PREFIX}")
endif()

pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka>=2.0.2)
if(RDKAFKA_VERSION VERSION_GREATER_EQUAL 2.1 AND RDKAFKA_VERSION VERSION_LESS 2.5)
  message(FATAL_ERROR "librdkafka ${RDKAFKA_VERSION} loses or stalls records in ways this project cannot "
                      "mend (its issues 4425 and 4750): use 2.0.2 or at least 2.5")
endif()
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(REDIS_TLS IMPORTED_TARGET hiredis_ssl openssl) # hiredis 1.0 and newer: not in Debian 12
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(AVRO REQUIRED IMPORTED_TARGET avro-c)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(YYJSON REQUIRED IMPORTED_TARGET yyjson)
pkg_check_modules(LLHTTP REQUIRED IMPORTED_TARGET libllhttp)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
