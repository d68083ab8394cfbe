#pragma once

#include <string>

#include "prompt/language/place.hpp"

namespace guidegen::language {

/// What words are to the reader. The comments give the key of the language file.
enum class Kind {
  kUnknown,        ///< no entry
  kMark,           ///< punctuation
  kNumber,         ///< digits or number words
  kSize,           ///< a length, measured or "golf ball sized" (sizes)
  kStage,          ///< "T1b", "stage IIIA"
  kSex,            ///< sex.female, sex.male
  kPronoun,        ///< pronouns.female, pronouns.male: say the sex if nothing else does
  kRace,           ///< race.*
  kContrast,       ///< contrast.*
  kAge,            ///< age.*
  kPlace,          ///< places.*
  kTumor,          ///< tumors.one, .many, .disease, and tumors of an organ (organ_tumors.*)
  kBenign,         ///< not_tumors: findings that are no tumor, with everything said of them
  kBenignQuality,  ///< benign_qualities: make a tumor benign
  kCount,          ///< counts.*
  kEach,           ///< each: the count holds on either side
  kArticle,        ///< articles: one
  kDefinite,       ///< definite: speaks of something known
  kAnother,        ///< another: a further one
  kOneOfThem,      ///< one_of_them: a tumor that was counted before
  kLargest,        ///< largest: the size that counts
  kPreposition,    ///< prepositions
  kWith,           ///< with: prepositions and verbs that open something new
  kAnd,            ///< and
  kBreak,          ///< but: end every scope
  kNew,            ///< new: ends every scope, and qualifies a tumor
  kNear,           ///< near: what follows is where the tumor is not
  kMeans,          ///< means: "consistent with", what follows explains what came before
  kPerson,         ///< people: "cancer patient" counts no tumors
  kNegation,       ///< negation.before
  kNegationAfter,  ///< negation.after
  kNormal,         ///< normal: of organs, not of tumors
  kSought,         ///< sought: "rule out", "screening for"
  kHistory,        ///< history.before
  kHistoryAfter,   ///< history.after
  kFamily,         ///< family
  kRelative,       ///< relatives: of the patient's family, or the patient; see relatives.hpp
  kElder,          ///< elders: "grandma", who is the patient more often than not
  kOwn,            ///< own: "my" before a relative
  kSpeaker,        ///< speaker: "I have"
  kDied,           ///< died: verbs that make a relative part of the history
  kProcedure,      ///< procedures, organ_procedures: operations that remove tumors
  kReason,         ///< reasons: what an operation was done for follows
  kPlanned,        ///< planned: what has yet to happen
  kHealthy,        ///< no_tumors: asks for no tumors
  kIgnored,        ///< ignored: phrases that would be misread word by word
};

/// How many a tumor word stands for.
enum class Grammar { kOne, kMany, kDisease };

struct Meaning {
  Kind kind = Kind::kUnknown;
  /// Name of sex, race or contrast; "months" or "years" of an age; "spread" of a kTumor that only
  /// says where else tumors are ("metastatic to"), "origin" of one that says where they began,
  /// "absent" of a number that says there are none; "copula" ("is"), "past" ("had") or
  /// "reason" (German "bei") of a kWith; "finding" of a kBenign that is no lesion at all;
  /// "toward" of a kPreposition ("to"); "metastatic" of a kUnknown that qualifies a tumor.
  std::string value;
  /// Of kCount (0: several), kAge and kSize where the words fix it; negative: the number they hold.
  double number = -1;
  Place place;
  Grammar grammar = Grammar::kOne;
  std::string key;  ///< of the language file, for messages
};

}  // namespace guidegen::language
