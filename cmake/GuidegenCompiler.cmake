# Flags that every target of ours shares, as one INTERFACE target. Targets must agree on them,
# because they share one precompiled header.
add_library(guidegen_flags INTERFACE)
target_include_directories(guidegen_flags INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>")
target_compile_options(guidegen_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor)
if(GUIDEGEN_WERROR)
  target_compile_options(guidegen_flags INTERFACE -Werror)
endif()
if(GUIDEGEN_ARCH)
  target_compile_options(guidegen_flags INTERFACE -march=${GUIDEGEN_ARCH})
endif()
if(GUIDEGEN_SANITIZE)
  target_compile_options(guidegen_flags INTERFACE
    -fsanitize=${GUIDEGEN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(guidegen_flags INTERFACE -fsanitize=${GUIDEGEN_SANITIZE})
endif()

find_program(GUIDEGEN_CCACHE ccache)
if(GUIDEGEN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # ccache handles a precompiled header only with this sloppiness.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env
      # Paths below the checkout count as relative: clones share what they compiled.
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=true
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${GUIDEGEN_CCACHE})
  target_compile_options(guidegen_flags INTERFACE -fpch-preprocess)
endif()
