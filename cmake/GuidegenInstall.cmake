# Where a program of ours looks for LibTorch and its two runtime libraries at run time.
function(guidegen_set_run_path target)
  set_target_properties(${target} PROPERTIES
    BUILD_RPATH "${LibTorch_LIBRARY_DIR};${LibTorch_RUNTIME_DIRS}")
endfunction()

include(GNUInstallDirs)

function(guidegen_install target)
  install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()
