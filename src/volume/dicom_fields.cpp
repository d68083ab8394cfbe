#include "volume/dicom_fields.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include <gdcmFileMetaInformation.h>
#include <gdcmItem.h>
#include <gdcmSequenceOfItems.h>
#include <gdcmWriter.h>

#include "guidegen/core/error.hpp"
#include "guidegen/core/sha256.hpp"
#include "guidegen/core/version.hpp"
#include "volume/dicom_tags.hpp"

namespace guidegen {
namespace {

/// Characters that a value of the type may have; 0: no limit that matters here.
size_t longest(gdcm::VR::VRType type) {
  switch (type) {
    case gdcm::VR::SH:
    case gdcm::VR::CS:
    case gdcm::VR::AE:
      return 16;
    case gdcm::VR::LO:
    case gdcm::VR::PN:
    case gdcm::VR::UI:
      return 64;
    case gdcm::VR::LT:
      return 10240;
    default:
      return 0;
  }
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }

std::string cleaned(const DicomTag& tag, std::string_view text) {
  const bool lines = tag.type == gdcm::VR::LT;  // the only type in use with lines and backslashes
  const size_t limit = longest(tag.type);
  std::string out;
  size_t characters = 0;
  for (const char c : text) {
    if (!continues_character(c) && ++characters > limit && limit > 0) break;
    const auto code = static_cast<unsigned char>(c);
    const bool line = lines && (c == '\n' || c == '\t');
    if ((code < 0x20 && !line) || code == 0x7F) {
      out += ' ';
    } else {
      out += c == '\\' && !lines ? '/' : c;
    }
  }
  return out;
}

std::string decimal(double value) {
  constexpr size_t kLongest = 16;
  if (value == 0) return "0";  // not "-0"
  char text[40];
  for (int digits = 15; digits > 0; --digits) {
    const int length = std::snprintf(text, sizeof text, "%.*g", digits, value);
    if (static_cast<size_t>(length) <= kLongest) break;
  }
  return text;
}

void append_binary(std::string& bytes, uint64_t value, int width) {
  for (int i = 0; i < width; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xFFU);
}

std::string joined(const std::vector<std::string>& values) {
  std::string text;
  for (size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "" : "\\") + values[i];
  return text;
}

gdcm::Tag gdcm_tag(const DicomTag& tag) { return {tag.group, tag.element}; }

}  // namespace

void DicomFields::insert(const DicomTag& tag, std::string value) {
  if (value.size() % 2 != 0) {
    value += tag.type == gdcm::VR::UI || tag.type == gdcm::VR::OB ? '\0' : ' ';
  }
  if (value.size() >= 0xFFFFFFFFU) {
    throw_failure("a DICOM value of ", value.size(), " bytes, expected less than 4 GiB");
  }
  gdcm::DataElement element(gdcm_tag(tag));
  element.SetVR(tag.type);
  element.SetByteValue(value.data(), gdcm::VL(static_cast<uint32_t>(value.size())));
  data_.Replace(element);
}

void DicomFields::text(const DicomTag& tag, std::string_view value) {
  insert(tag, cleaned(tag, value));
}

void DicomFields::texts(const DicomTag& tag, const std::vector<std::string>& values) {
  std::vector<std::string> parts;
  for (const std::string& value : values) parts.push_back(cleaned(tag, value));
  insert(tag, joined(parts));
}

void DicomFields::integer(const DicomTag& tag, int64_t value) { integers(tag, {value}); }

void DicomFields::integers(const DicomTag& tag, const std::vector<int64_t>& values) {
  if (tag.type == gdcm::VR::IS) {
    std::vector<std::string> parts;
    for (const int64_t value : values) parts.push_back(std::to_string(value));
    return insert(tag, joined(parts));
  }
  const int width = tag.type == gdcm::VR::UL ? 4 : 2;
  std::string bytes;
  for (const int64_t value : values) append_binary(bytes, static_cast<uint64_t>(value), width);
  insert(tag, bytes);
}

void DicomFields::decimals(const DicomTag& tag, const std::vector<double>& values) {
  std::vector<std::string> parts;
  for (const double value : values) parts.push_back(decimal(value));
  insert(tag, joined(parts));
}

void DicomFields::bytes(const DicomTag& tag, std::string_view value) {
  insert(tag, std::string(value));
}

void DicomFields::pointer(const DicomTag& tag, const DicomTag& to) {
  std::string bytes;
  append_binary(bytes, to.group, 2);
  append_binary(bytes, to.element, 2);
  insert(tag, bytes);
}

void DicomFields::sequence(const DicomTag& tag, const std::vector<DicomFields>& items) {
  const gdcm::SmartPointer<gdcm::SequenceOfItems> list = new gdcm::SequenceOfItems;
  list->SetLengthToUndefined();
  for (const DicomFields& fields : items) {
    gdcm::Item item;
    item.SetVLToUndefined();
    item.SetNestedDataSet(fields.data_);
    list->AddItem(item);
  }
  gdcm::DataElement element(gdcm_tag(tag));
  element.SetVR(gdcm::VR::SQ);
  element.SetValue(*list);
  element.SetVLToUndefined();
  data_.Replace(element);
}

void DicomFields::add(const DicomFields& others) {
  for (const gdcm::DataElement& element : others.data_.GetDES()) data_.Replace(element);
}

std::string dicom_file(const DicomFields& fields) {
  // GDCM fills in what else the head of a file needs.
  DicomFields head;
  head.text(dicom_tags::kImplementationClassUid, dicom_uid("guidegen"));
  head.text(dicom_tags::kImplementationVersionName, "GUIDEGEN_" + version());
  head.text(dicom_tags::kSourceApplicationEntityTitle, "GUIDEGEN");

  gdcm::Writer writer;
  gdcm::FileMetaInformation& information = writer.GetFile().GetHeader();
  for (const gdcm::DataElement& element : head.data().GetDES()) information.Insert(element);
  information.SetDataSetTransferSyntax(gdcm::TransferSyntax::ExplicitVRLittleEndian);
  writer.GetFile().SetDataSet(fields.data());
  std::ostringstream bytes;
  writer.SetStream(bytes);
  if (!writer.Write()) throw_failure("a DICOM file could not be encoded");
  return std::move(bytes).str();
}

std::string dicom_uid(std::string_view seed) {
  std::string digits = sha256_hex(seed).substr(0, 32);
  digits[12] = '8';  // version and variant of RFC 9562: bits of our own making
  digits[16] = "89ab"[static_cast<size_t>(digits[16]) % 4];
  std::string number;  // decimal digits, lowest first
  for (const char digit : digits) {
    int carry = digit <= '9' ? digit - '0' : digit - 'a' + 10;
    for (char& place : number) {
      carry += (place - '0') * 16;
      place = static_cast<char>('0' + carry % 10);
      carry /= 10;
    }
    for (; carry > 0; carry /= 10) number += static_cast<char>('0' + carry % 10);
  }
  return "2.25." + std::string(number.rbegin(), number.rend());
}

}  // namespace guidegen
