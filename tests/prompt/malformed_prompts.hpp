#pragma once

#include <string>
#include <vector>

namespace guidegen {

/// A prompt that both the program and the published schema must refuse.
struct MalformedPrompt {
  std::string text;
  std::string names;  ///< what the program's message must contain: the key path
};

inline const std::vector<MalformedPrompt>& malformed_prompts() {
  static const std::string long_text(4001, 'x');
  static const std::string long_id(129, 'x');
  static const std::vector<MalformedPrompt> prompts{
      {R"({"colour": 1})", "colour"},
      {R"({"colour": null})", "colour"},
      {R"({"id": ""})", "id"},
      {R"({"id": "../up"})", "id"},
      {R"({"id": "/etc/passwd"})", "id"},
      {R"({"id": ".hidden"})", "id"},
      {R"({"id": "a b"})", "id"},
      {R"({"id": 7})", "id"},
      {R"({"id": ")" + long_id + R"("})", "id"},
      {R"({"text": ""})", "text"},
      {R"({"text": ["a"]})", "text"},
      {R"({"text": ")" + long_text + R"("})", "text"},
      {R"({"sex": "m"})", "sex"},
      {R"({"sex": null})", "sex"},
      {R"({"sex": true})", "sex"},
      {R"({"age": -1})", "age"},
      {R"({"age": 121})", "age"},
      {R"({"age": 40.5})", "age"},
      {R"({"age": "40"})", "age"},
      {R"({"race": "martian"})", "race"},
      {R"({"contrast": "portal_venous"})", "contrast"},
      {R"({"tumors": {}})", "tumors"},
      {R"({"tumors": [3]})", "tumors[0]"},
      {R"({"tumors": [{}]})", "tumors[0].organ"},
      {R"({"tumors": [{"organ": "spleen"}]})", "tumors[0].organ"},
      {R"({"tumors": [{"organ": "lung", "position": "left"}]})", "tumors[0].position"},
      {R"({"tumors": [{"organ": "lung"}, {"organ": "liver", "position": "head"}]})",
       "tumors[1].position"},
      {R"({"tumors": [{"organ": "pancreas", "position": "left"}]})", "tumors[0].position"},
      {R"({"tumors": [{"organ": "colon", "position": ["ascending"]}]})", "tumors[0].position"},
      {R"({"tumors": [{"position": "left"}]})", "tumors[0].organ"},
      {R"({"tumors": [{"organ": "lung", "count": 0}]})", "tumors[0].count"},
      {R"({"tumors": [{"organ": "lung", "count": 21}]})", "tumors[0].count"},
      {R"({"tumors": [{"organ": "lung", "size_mm": 2.9}]})", "tumors[0].size_mm"},
      {R"({"tumors": [{"organ": "lung", "size_mm": 151}]})", "tumors[0].size_mm"},
      {R"({"tumors": [{"organ": "lung", "size_mm": null}]})", "tumors[0].size_mm"},
      {R"({"tumors": [{"organ": "lung", "stage": ""}]})", "tumors[0].stage"},
      {R"({"tumors": [{"organ": "lung", "stage": "T5"}]})", "tumors[0].stage"},
      {R"({"tumors": [{"organ": "lung", "stage": "large"}]})", "tumors[0].stage"},
      {R"({"tumors": [{"organ": "lung", "side": "left"}]})", "tumors[0].side"},
      {R"({"spacing_mm": 1.5})", "spacing_mm"},
      {R"({"spacing_mm": [1, 1]})", "spacing_mm"},
      {R"({"spacing_mm": [1, 1, 0]})", "spacing_mm"},
      {R"({"spacing_mm": [1, 1, 21]})", "spacing_mm"},
      {R"({"size": [64, 64, 64, 64]})", "size"},
      {R"({"size": [64, 64, 15]})", "size"},
      {R"({"size": [64, 64, 64.5]})", "size"},
      {R"({"seed": -1})", "seed"},
      {R"({"seed": 18446744073709551616})", ""},
      {R"({"seed": "7"})", "seed"},
      {R"({"samples": 0})", "samples"},
      {R"({"samples": 1001})", "samples"},
  };
  return prompts;
}

}  // namespace guidegen
