# Configuration that the program cannot do without (vocabularies, presets, schemas) is compiled in,
# so that a binary moved to another machine needs no folder of its own beside it.
# Each file configs/<path>.json becomes the resource "<path>.json" of core/resources.hpp.
file(GLOB_RECURSE guidegen_resource_files CONFIGURE_DEPENDS
     RELATIVE "${PROJECT_SOURCE_DIR}/configs" "${PROJECT_SOURCE_DIR}/configs/*.json")
set(GUIDEGEN_RESOURCES_CPP "${PROJECT_BINARY_DIR}/generated/resources_data.cpp")
list(TRANSFORM guidegen_resource_files PREPEND "${PROJECT_SOURCE_DIR}/configs/"
     OUTPUT_VARIABLE guidegen_resource_paths)
list(JOIN guidegen_resource_files "|" guidegen_resource_arg)
add_custom_command(
  OUTPUT "${GUIDEGEN_RESOURCES_CPP}"
  COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR}/configs "-DFILES=${guidegen_resource_arg}"
          -DOUTPUT=${GUIDEGEN_RESOURCES_CPP} -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${guidegen_resource_paths} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  VERBATIM)
