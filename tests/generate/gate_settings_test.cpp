#include "guidegen/generate/gate_settings.hpp"

#include <gmock/gmock.h>

#include "core/error_matchers.hpp"
#include "core/temporary_folder.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/resources.hpp"

namespace guidegen {
namespace {

std::string message_of(const std::string& members) {
  try {
    const Json document =
        parse_json(R"({"format": "guidegen-gates", "version": 1, )" + members + "}", "g.json");
    GateSettings::from_json(document, "g.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

TEST(GateSettings, TheShippedFileSetsEverything) {
  const std::string name = "generate/gates.json";
  EXPECT_EQ(to_json(GateSettings::shipped()), parse_json(resource(name), name));
}

TEST(GateSettings, WhatAFileLeavesOutIsAsShipped) {
  const TemporaryFolder folder;
  write_file_atomic(folder.path() / "gates.json",
                    R"({"format": "guidegen-gates", "version": 1,
                        "organ_hu": {"action": "retry", "labels": ["liver"]}})");
  const GateSettings settings = GateSettings::load(folder.path() / "gates.json");
  EXPECT_EQ(settings.organ_hu.action, GateAction::kRetry);
  EXPECT_THAT(settings.organ_hu.labels, testing::ElementsAre("liver"));
  EXPECT_EQ(settings.organ_hu.deviations, GateSettings::shipped().organ_hu.deviations);
  EXPECT_EQ(settings.tumor_count, GateAction::kRetry);
  EXPECT_EQ(to_json(GateSettings::from_json(to_json(settings), "again")), to_json(settings));
}

TEST(GateSettings, MistakesNameFileAndKey) {
  EXPECT_THAT(message_of(R"("organ_volume": {"action": "off"})"),
              testing::AllOf(testing::HasSubstr("g.json"), testing::HasSubstr("organ_volumes")));
  EXPECT_THAT(
      message_of(R"("tumor_count": {"action": "retyr"})"),
      testing::AllOf(testing::HasSubstr("tumor_count.action"), testing::HasSubstr("retry")));
  EXPECT_THAT(message_of(R"("tumor_count": {"deviations": 3})"),
              testing::HasSubstr("tumor_count.deviations"));
  EXPECT_THAT(message_of(R"("organ_volumes": {"deviations": -1})"),
              testing::HasSubstr("organ_volumes.deviations"));
  EXPECT_THAT(message_of(R"("organ_hu": {"labels": ["livre"]})"),
              testing::AllOf(testing::HasSubstr("organ_hu.labels"), testing::HasSubstr("'liver'")));
}

}  // namespace
}  // namespace guidegen
