# How every target of this project is compiled. The presets choose among these options.
option(ESTEIRA_WERROR "Warnings are errors" ON)
set(ESTEIRA_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")
option(ESTEIRA_FUZZ "Build the libFuzzer targets (clang)" OFF)
option(ESTEIRA_COVERAGE "Instrument for coverage" OFF)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # POSIX and Linux interfaces; the language stays C17
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

add_library(est_flags INTERFACE)
target_compile_definitions(est_flags INTERFACE _GNU_SOURCE)
target_compile_options(est_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wundef -Wvla -Wformat=2 -fno-common
  $<$<BOOL:${ESTEIRA_WERROR}>:-Werror>)

if(ESTEIRA_SANITIZE)
  target_compile_options(est_flags INTERFACE -fsanitize=${ESTEIRA_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(est_flags INTERFACE -fsanitize=${ESTEIRA_SANITIZE})
endif()
if(ESTEIRA_COVERAGE)
  target_compile_options(est_flags INTERFACE --coverage)
  target_link_options(est_flags INTERFACE --coverage)
endif()

# Hardening for what people run; sanitizers and coverage want the plain code.
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT ESTEIRA_SANITIZE AND NOT ESTEIRA_COVERAGE)
  target_compile_options(est_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
    -fstack-protector-strong -fstack-clash-protection -fPIE
    $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-fcf-protection>)
  target_link_options(est_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
