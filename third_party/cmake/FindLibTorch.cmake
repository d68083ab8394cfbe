# Finds LibTorch as the PyTorch wheel lays it out (torch/include, torch/lib) and makes
#   Torch::c10  Torch::torch_cpu       always
#   Torch::c10_cuda  Torch::torch_cuda  where the CUDA libraries are there
# TorchConfig.cmake of the wheel is not used: it insists on a CUDA toolkit.
# Look-up order: Torch_ROOT (CMake or environment), then the folder that scripts/setup.sh fills.
set(_torch_cache "$ENV{XDG_CACHE_HOME}")
if(NOT _torch_cache)
  set(_torch_cache "$ENV{HOME}/.cache")
endif()
set(_torch_hints "${Torch_ROOT}" "$ENV{Torch_ROOT}" "${_torch_cache}/guidegen/libtorch-2.11.0/torch")

find_path(LibTorch_INCLUDE_DIR torch/csrc/api/include/torch/torch.h HINTS ${_torch_hints} PATH_SUFFIXES include NO_DEFAULT_PATH)
get_filename_component(LibTorch_DIR_ "${LibTorch_INCLUDE_DIR}" DIRECTORY)
set(LibTorch_LIBRARY_DIR "${LibTorch_DIR_}/lib")
find_library(LibTorch_CPU_LIBRARY torch_cpu HINTS "${LibTorch_LIBRARY_DIR}" NO_DEFAULT_PATH)
find_library(LibTorch_C10_LIBRARY c10 HINTS "${LibTorch_LIBRARY_DIR}" NO_DEFAULT_PATH)

if(LibTorch_INCLUDE_DIR)
  file(READ "${LibTorch_INCLUDE_DIR}/torch/headeronly/version.h" _torch_header)
  foreach(part MAJOR MINOR PATCH)
    string(REGEX MATCH "TORCH_VERSION_${part} ([0-9]+)" _ "${_torch_header}")
    list(APPEND _torch_version ${CMAKE_MATCH_1})
  endforeach()
  list(JOIN _torch_version "." LibTorch_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "run scripts/setup.sh, or give -DTorch_ROOT=<folder with include/ and lib/>")

# The wheel's libtorch_cpu.so needs two small CUDA runtime libraries even without a GPU;
# they come from wheels of their own, unpacked beside torch/.
file(GLOB LibTorch_RUNTIME_DIRS "${LibTorch_DIR_}/../nvidia/*/lib" "${LibTorch_DIR_}/../nvidia/*/*/lib")
list(FILTER LibTorch_RUNTIME_DIRS EXCLUDE REGEX "/cmake/")

function(_guidegen_torch_target name library)
  add_library(Torch::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(Torch::${name} PROPERTIES IMPORTED_LOCATION "${library}")
  # -idirafter: the wheel carries its own fmt, which must not hide the one that spdlog uses.
  target_compile_options(Torch::${name} INTERFACE
    "SHELL:-idirafter ${LibTorch_INCLUDE_DIR}"
    "SHELL:-idirafter ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include")
endfunction()

if(LibTorch_FOUND AND NOT TARGET Torch::torch_cpu)
  _guidegen_torch_target(c10 "${LibTorch_C10_LIBRARY}")
  _guidegen_torch_target(torch_cpu "${LibTorch_CPU_LIBRARY}")
  target_link_libraries(Torch::torch_cpu INTERFACE Torch::c10)
  foreach(dir IN LISTS LibTorch_RUNTIME_DIRS)
    target_link_options(Torch::torch_cpu INTERFACE "LINKER:-rpath-link,${dir}")
  endforeach()
  if(EXISTS "${LibTorch_LIBRARY_DIR}/libtorch_cuda.so" AND EXISTS "${LibTorch_LIBRARY_DIR}/libc10_cuda.so")
    _guidegen_torch_target(c10_cuda "${LibTorch_LIBRARY_DIR}/libc10_cuda.so")
    _guidegen_torch_target(torch_cuda "${LibTorch_LIBRARY_DIR}/libtorch_cuda.so")
    target_link_libraries(Torch::torch_cuda INTERFACE Torch::c10_cuda Torch::torch_cpu)
  endif()
endif()
mark_as_advanced(LibTorch_INCLUDE_DIR LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY)
