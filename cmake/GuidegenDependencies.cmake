find_package(LibTorch 2.11 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(ICU 70 REQUIRED COMPONENTS uc)

# ITK's own usage file sets directory-wide flags; one INTERFACE target keeps it where it is used.
find_package(ITK 5.2 REQUIRED COMPONENTS
             ITKCommon ITKIOImageBase ITKIONIFTI ITKIOPNG ITKIOGDCM
             ITKConnectedComponents ITKLabelMap ITKImageGrid ITKImageFunction)
add_library(guidegen_itk INTERFACE)
add_library(guidegen::itk ALIAS guidegen_itk)
target_include_directories(guidegen_itk SYSTEM INTERFACE ${ITK_INCLUDE_DIRS})
target_link_libraries(guidegen_itk INTERFACE ${ITK_LIBRARIES})

# DICOM is written with the GDCM that ITK reads it with.
find_package(GDCM 3.0 REQUIRED)
add_library(guidegen_gdcm INTERFACE)
add_library(guidegen::gdcm ALIAS guidegen_gdcm)
target_include_directories(guidegen_gdcm SYSTEM INTERFACE ${GDCM_INCLUDE_DIRS})
target_link_libraries(guidegen_gdcm INTERFACE gdcmMSFF)
