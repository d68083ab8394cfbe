#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gdcmDataSet.h>

namespace guidegen {

/// An attribute of DICOM: its tag and the type of its value (PS3.6). dicom_tags.hpp names those in
/// use.
struct DicomTag {
  uint16_t group;
  uint16_t element;
  gdcm::VR::VRType type;
};

/// A set of attributes with values, as a file or an item of a sequence holds them. Setting one
/// twice keeps the later value. Text is UTF-8.
class DicomFields {
 public:
  /// Without the characters that separate values or control devices, and cut to what the type
  /// holds (PS3.5, table 6.2-1). An empty text stands for "unknown".
  void text(const DicomTag& tag, std::string_view value);
  void texts(const DicomTag& tag, const std::vector<std::string>& values);
  /// A whole number, as text or in binary by the type (IS, US or UL).
  void integer(const DicomTag& tag, int64_t value);
  void integers(const DicomTag& tag, const std::vector<int64_t>& values);
  /// Decimal strings of at most 16 characters.
  void decimals(const DicomTag& tag, const std::vector<double>& values);
  void bytes(const DicomTag& tag, std::string_view value);
  /// The tag of another attribute as value (AT).
  void pointer(const DicomTag& tag, const DicomTag& to);
  void sequence(const DicomTag& tag, const std::vector<DicomFields>& items);
  /// Takes over all attributes of `others`.
  void add(const DicomFields& others);

  const gdcm::DataSet& data() const { return data_; }

 private:
  void insert(const DicomTag& tag, std::string value);

  gdcm::DataSet data_;
};

/// Bytes of a DICOM file (explicit VR, little endian) that depend on the fields alone. These must
/// hold SOP class and instance UID.
std::string dicom_file(const DicomFields& fields);

/// A UID below 2.25 (PS3.5, B.2: a UUID as a decimal number) that depends on `seed` alone.
std::string dicom_uid(std::string_view seed);

}  // namespace guidegen
