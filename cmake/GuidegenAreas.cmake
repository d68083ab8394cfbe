# guidegen_add_area(<name> [TORCH] [DEPENDS area...] [LINK target...] [PRIVATE_LINK target...])
#
# One static library per area: include/guidegen/<name> is its public face, src/<name> its inside.
# TORCH marks an area that is the first to see LibTorch; those above it inherit it.

# One precompiled header for all areas that see LibTorch: torch/torch.h alone costs 25 s a file.
add_library(guidegen_pch OBJECT ${PROJECT_SOURCE_DIR}/cmake/pch.cpp)
target_link_libraries(guidegen_pch PRIVATE guidegen_flags Torch::torch_cpu)
target_precompile_headers(guidegen_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch.hpp)

define_property(TARGET PROPERTY GUIDEGEN_SEES_TORCH)

function(guidegen_add_area name)
  cmake_parse_arguments(ARG "TORCH" "" "DEPENDS;LINK;PRIVATE_LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${name}/*.cpp")
  set(target guidegen_${name})
  add_library(${target} STATIC ${sources})
  add_library(guidegen::${name} ALIAS ${target})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")
  list(TRANSFORM ARG_DEPENDS PREPEND "guidegen::" OUTPUT_VARIABLE links)
  target_link_libraries(${target} PUBLIC guidegen_flags ${links} ${ARG_LINK}
                                  PRIVATE ${ARG_PRIVATE_LINK})
  set(sees ${ARG_TORCH})
  foreach(dep IN LISTS ARG_DEPENDS)
    get_target_property(dep_sees guidegen_${dep} GUIDEGEN_SEES_TORCH)
    if(dep_sees)
      set(sees TRUE)
    endif()
  endforeach()
  set_target_properties(${target} PROPERTIES GUIDEGEN_SEES_TORCH ${sees})
  if(sees)
    target_link_libraries(${target} PUBLIC Torch::torch_cpu)
    target_precompile_headers(${target} REUSE_FROM guidegen_pch)
  endif()
endfunction()

# For programs outside the areas whose files include torch/torch.h.
function(guidegen_reuse_precompiled_header target)
  # The header was compiled with -fPIC; -fPIE, the default for programs, would not match it.
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${target} PRIVATE -fPIC)
  target_precompile_headers(${target} REUSE_FROM guidegen_pch)
endfunction()
