#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "guidegen/core/json.hpp"

namespace guidegen {

/// One label of a vocabulary. Ids are the voxel values, dense from 0.
struct LabelInfo {
  int id = 0;
  std::string name;                ///< snake_case, unique: "kidney_right"
  std::string display;             ///< for people: "right kidney"
  std::array<uint8_t, 3> color{};  ///< sRGB
  std::string code;                ///< SNOMED CT concept id; empty when none
  std::string code_meaning;
};

/// How a foreign label set maps onto a vocabulary. A foreign value is either in `to_ours` or in
/// `to_group`. The foreign value 0 is never listed: it means "nothing that this source labels", so
/// there the truth is background, body or one of `unlabelled`; what lies inside the skin comes from
/// the CT, which is why "body" is not among `unlabelled` even where no class maps to it.
struct LabelMapping {
  std::string name;            ///< "totalsegmentator_v2"
  std::string source;          ///< for people: data set, version, task
  std::map<int, int> to_ours;  ///< foreign voxel value -> our id
  std::map<int, std::string> foreign_names;
  /// Ids of ours that the source never labels: unknown there, not background.
  std::vector<int> unlabelled;
  /// Ids of ours that the source labels only as a whole: group name -> foreign values.
  std::map<int, std::string> to_group;  ///< foreign voxel value -> group name
};

/// The labels that masks of a model use, at most 65535. Nothing about their number is compiled in;
/// three roles are fixed: "background" is 0, and "body" (inside the skin but nothing else) and
/// "tumor" exist by name.
class Vocabulary {
 public:
  /// Reads and checks a vocabulary document. Throws Error(kUsage) naming `source` and the key.
  static Vocabulary from_json(const Json& document, const std::string& source);
  /// A shipped vocabulary by name ("torso"), or a path that ends in ".json".
  static Vocabulary load(const std::string& name_or_path);

  const std::string& name() const { return name_; }
  int size() const { return static_cast<int>(labels_.size()); }  ///< K
  const LabelInfo& label(int id) const { return labels_.at(static_cast<size_t>(id)); }
  const std::vector<LabelInfo>& labels() const { return labels_; }
  std::optional<int> find(const std::string& label_name) const;
  int id(const std::string& label_name) const;  ///< throws Error(kUsage) with the nearest name

  int background() const { return 0; }
  int body() const { return body_; }
  int tumor() const { return tumor_; }

  /// Member ids of a group ("lung", "kidneys", "torso"); throws Error(kUsage) when unknown.
  const std::vector<int>& group(const std::string& group_name) const;
  const std::map<std::string, std::vector<int>>& groups() const { return groups_; }

  const LabelMapping& mapping(const std::string& mapping_name) const;  ///< throws Error(kUsage)
  std::vector<std::string> mapping_names() const;

  const Json& document() const { return document_; }  ///< as read, to copy into a model directory

 private:
  void read_labels(JsonObject& root);

  std::string name_;
  std::vector<LabelInfo> labels_;
  std::unordered_map<std::string, int> ids_;
  std::map<std::string, std::vector<int>> groups_;
  std::map<std::string, LabelMapping> mappings_;
  int body_ = 1;
  int tumor_ = 0;
  Json document_;
};

}  // namespace guidegen
