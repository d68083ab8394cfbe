# Script: proves that check_layering.cmake catches what it is there to catch.
#   cmake -DWORK=<scratch folder> -P self_check.cmake
#
# Each case plants one bad file in a tree that is fine otherwise; the check must fail and name it.
cmake_minimum_required(VERSION 3.25)

function(make_tree)
  file(REMOVE_RECURSE "${WORK}")
  file(WRITE "${WORK}/CMakeLists.txt"
    "guidegen_add_area(core)\nguidegen_add_area(anatomy DEPENDS core)\n"
    "guidegen_add_area(volume  DEPENDS anatomy\n  TORCH)\nguidegen_add_area(prompt DEPENDS anatomy)\n"
    "guidegen_add_area(data DEPENDS volume prompt)\nguidegen_add_area(cli DEPENDS data)\n")
  file(WRITE "${WORK}/include/guidegen/core/error.hpp" "#pragma once\n#include <string>\n")
  file(WRITE "${WORK}/src/core/log.cpp" "#include <spdlog/spdlog.h>\n#include \"core/sink.hpp\"\n")
  file(WRITE "${WORK}/src/volume/nifti.cpp" "#include <itkImage.h>\n#include <torch/torch.h>\n")
  file(WRITE "${WORK}/src/data/index.cpp"
       "#include \"guidegen/core/error.hpp\"\n  #  include <ATen/ATen.h>\n")
  file(WRITE "${WORK}/src/cli/app.cpp" "#include <CLI/CLI.hpp>\n")
  file(WRITE "${WORK}/src/main.cpp" "#include \"guidegen/cli/commands.hpp\"\n")
  file(WRITE "${WORK}/tests/core/error_test.cpp" "int x;\n")
endfunction()

function(run_check code_variable output_variable)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -DROOT=${WORK} -P "${CMAKE_CURRENT_LIST_DIR}/check_layering.cmake"
    RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")  # CMake wraps its messages
  set(${code_variable} "${code}" PARENT_SCOPE)
  set(${output_variable} "${output}" PARENT_SCOPE)
endfunction()

function(expect_violation file content expected)
  make_tree()
  file(WRITE "${WORK}/${file}" "${content}")
  run_check(code output)
  if(code EQUAL 0)
    message(SEND_ERROR "not caught: ${file} with ${content}")
  elseif(NOT output MATCHES "${expected}" OR NOT output MATCHES "${file}")
    message(SEND_ERROR "${file}: expected a report with '${expected}', got: ${output}")
  endif()
endfunction()

make_tree()
run_check(code output)
if(NOT code EQUAL 0)
  message(SEND_ERROR "a tree without fault does not pass: ${output}")
endif()

expect_violation(src/core/bad.cpp "#include \"guidegen/volume/volume.hpp\"\n"
                 "'core' may not include 'volume'")
expect_violation(src/prompt/bad.cpp "#include <guidegen/volume/volume.hpp>\n"
                 "'prompt' may not include 'volume'")
expect_violation(src/data/bad.cpp "  #  include \"guidegen/cli/commands.hpp\"\n"
                 "'data' may not include 'cli'")
expect_violation(src/data/bad.cpp "#include \"guidegen/nowhere/x.hpp\"\n" "is no area")
expect_violation(src/data/bad.cpp "#include \"volume/inside.hpp\"\n" "private header of 'volume'")
expect_violation(include/guidegen/data/bad.hpp "#include \"data/inside.hpp\"\n" "is public but")
expect_violation(src/data/bad.cpp "#include <itkImage.h>\n" "includes ITK")
expect_violation(src/data/bad.cpp "#include <CLI/CLI.hpp>\n" "includes CLI11")
expect_violation(include/guidegen/data/bad.hpp "#include <spdlog/spdlog.h>\n" "includes SPDLOG")
expect_violation(src/anatomy/bad.cpp "#include <ATen/ATen.h>\n" "built without LibTorch")
expect_violation(include/guidegen/data/bad.hpp "#include <torch/torch.h>\n" "torch/types.h")
expect_violation(src/misc/bad.cpp "int x;\n" "lies in no area")
string(REPEAT "int x[2]; // \n" 400 long_text)
expect_violation(src/core/bad.cpp "${long_text}" "400 lines")
expect_violation(tests/core/bad_test.cpp "${long_text}" "400 lines")
expect_violation(CMakeLists.txt "guidegen_add_area(data DEPENDS cli)\nguidegen_add_area(cli)\n"
                 "depends on cli")

file(REMOVE_RECURSE "${WORK}")
