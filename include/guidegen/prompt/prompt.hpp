#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guidegen/core/json.hpp"

namespace guidegen {

enum class Sex { kFemale, kMale };
enum class Race { kAsian, kBlack, kWhite, kHispanic, kOther };
enum class ContrastPhase { kNone, kArterial, kPortalVenous, kDelayed };
enum class TumorOrgan { kLung, kLiver, kKidney, kColon, kPancreas };

/// Position inside the organ; which are valid depends on the organ (see positions_of).
enum class TumorPosition {
  kLungLeftUpper,
  kLungLeftLower,
  kLungRightUpperMiddle,
  kLungRightLower,
  kKidneyLeft,
  kKidneyRight,
  kColonAscending,
  kColonTransverse,
  kColonDescending,
  kColonSigmoidRectum,
  kLiverLeft,
  kLiverRight,
  kPancreasHead,
  kPancreasBody,
  kPancreasTail,
};
inline constexpr int kTumorOrganCount = 5;
inline constexpr int kTumorPositionCount = 15;

/// Names as JSON has them: "male", "portal-venous", "kidney"; positions without the organ:
/// "left-upper", "right-upper-middle", "ascending", "sigmoid-rectum", "head", "left", "right".
std::string name_of(Sex value);
std::string name_of(Race value);
std::string name_of(ContrastPhase value);
std::string name_of(TumorOrgan value);
std::string name_of(TumorPosition value);
/// Positions of an organ in the order of the enumeration; each organ's are contiguous.
std::vector<TumorPosition> positions_of(TumorOrgan organ);
TumorOrgan organ_of(TumorPosition position);
/// All names of one kind, in the order of the enumeration.
std::vector<std::string> sex_names();
std::vector<std::string> race_names();
std::vector<std::string> contrast_names();
std::vector<std::string> tumor_organ_names();

/// A group of like tumours that a prompt asks for.
struct TumorRequest {
  TumorOrgan organ = TumorOrgan::kLung;
  std::optional<TumorPosition> position;  ///< open when absent
  std::optional<int> count;               ///< 1…20; open when absent
  std::optional<double> size_mm;          ///< diameter, 3…150; open when absent
  /// TNM T-stage or overall stage as written: "T1b", "Tis", "III", "IIB", "IA1".
  std::optional<std::string> stage;

  bool operator==(const TumorRequest&) const = default;
};

/// The description of one wanted patient. Every field but the seed and number of samples may be
/// open.
struct Prompt {
  std::string id;                   ///< file-name safe; filled in by read_prompts
  std::optional<std::string> text;  ///< free text, 1…4000 characters
  std::optional<Sex> sex;
  std::optional<int> age;  ///< years, 0…120
  std::optional<Race> race;
  std::optional<ContrastPhase> contrast;
  /// At most 32 groups; empty: no tumors wanted; absent: open.
  std::optional<std::vector<TumorRequest>> tumors;
  std::optional<std::array<double, 3>> spacing_mm;  ///< x,y,z, 0.3…20
  std::optional<std::array<int64_t, 3>> size;       ///< x,y,z voxels, 16…1024
  uint64_t seed = 0;
  int samples = 1;  ///< 1…1000

  bool operator==(const Prompt&) const = default;
};

/// Strict reading; unknown keys, wrong types, ranges and positions that the organ lacks are
/// Error(kUsage) naming `source` and the key path (which starts with `path`).
Prompt prompt_from_json(const Json& value, const std::string& source, const std::string& path = "");
/// Only the fields that are set; prompt_from_json(to_json(p)) gives p back.
Json to_json(const Prompt& prompt);

/// A prompt file: a JSON array of prompts, one prompt object, or JSON Lines (one object a line,
/// blank lines skipped). Prompts without an id get "case-0001"… by their place in the file;
/// duplicate ids and an empty file are errors. Throws Error(kUsage), or Error(kFailure) when the
/// file can't be read.
std::vector<Prompt> read_prompts(const std::filesystem::path& path);
/// The same on text in memory; `source` opens the messages.
std::vector<Prompt> parse_prompts(std::string_view text, const std::string& source);

/// The structured fields of the prompt in words (its free text is not repeated). Phrasing 0 is the
/// structured template of the GuideGen paper (age, sex, race, stage, cancer, tumor count and
/// position); the others are free phrasings. Fields that are open are not mentioned. Throws
/// Error(kUsage) unless 0 <= phrasing < kPhrasingCount.
std::string describe(const Prompt& prompt, int phrasing);
inline constexpr int kPhrasingCount = 6;

/// Where a tumor sits, in words: "left upper lobe of the lung", "sigmoid colon or rectum".
std::string place_in_words(TumorPosition position);

}  // namespace guidegen
