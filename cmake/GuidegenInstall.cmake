# What `cmake --install` and the CPack archive hold. The tree can be moved anywhere:
#
#   bin/guidegen              launcher: finds LibTorch, then becomes the program
#   libexec/guidegen          the program
#   lib/guidegen/*.so*        shared objects it needs (ITK, GDCM, HDF5, ...), without LibTorch and
#                             without what every Linux with the same C library has
#   share/guidegen            configs, the demo model, docs, LICENSE, README.md
#
# LibTorch (450 MB) is not in the archive: see cmake/launcher.sh for where it is looked for.
include(GNUInstallDirs)

# Where a program looks for LibTorch while it runs from the build tree.
function(guidegen_set_run_path target)
  set_target_properties(${target} PROPERTIES
    BUILD_RPATH "${LibTorch_LIBRARY_DIR};${LibTorch_RUNTIME_DIRS}")
endfunction()

function(guidegen_install target)
  # DT_RPATH rather than DT_RUNPATH: it also serves the libraries of lib/guidegen for each other.
  target_link_options(${target} PRIVATE "LINKER:--disable-new-dtags")
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/guidegen")
  install(TARGETS ${target} RUNTIME_DEPENDENCY_SET guidegen_shared_objects
          RUNTIME DESTINATION libexec)
  install(RUNTIME_DEPENDENCY_SET guidegen_shared_objects
    PRE_EXCLUDE_REGEXES
      "^ld-linux" "^lib(c|m|dl|rt|pthread|resolv|util|mvec|anl|nsl|crypt)\\.so"
      "^lib(stdc\\+\\+|gcc_s|gomp)\\.so" "^lib(torch|c10|cudart|cupti|nccl|cudnn|cublas)"
    LIBRARY DESTINATION lib/guidegen)
  install(PROGRAMS "${PROJECT_SOURCE_DIR}/cmake/launcher.sh" DESTINATION bin RENAME ${target})
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/configs" DESTINATION share/guidegen)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/models" DESTINATION share/guidegen OPTIONAL)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs" DESTINATION share/guidegen)
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md"
          DESTINATION share/guidegen)
endfunction()

# Packing and installing take what is built; they do not build the tests first.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY TRUE)

set(CPACK_GENERATOR TGZ)
set(CPACK_PACKAGE_NAME guidegen)
set(CPACK_PACKAGE_VENDOR guidegen)
set(CPACK_PACKAGE_FILE_NAME "guidegen-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR}")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_STRIP_FILES ON)
include(CPack)
