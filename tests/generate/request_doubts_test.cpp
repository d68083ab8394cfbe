#include "guidegen/generate/request_doubts.hpp"

#include <gmock/gmock.h>

namespace guidegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const ImageGeometry kTrained = centered_geometry({64, 64, 80}, {6, 6, 6});

Prompt asking_for(TumorOrgan organ, std::optional<double> size = {}) {
  Prompt prompt;
  TumorRequest request;
  request.organ = organ;
  request.size_mm = size;
  prompt.tumors = {request};
  return prompt;
}

TEST(RequestDoubts, NoneOfAWholeTorso) {
  for (const auto organ : {TumorOrgan::kLung, TumorOrgan::kLiver, TumorOrgan::kKidney,
                           TumorOrgan::kColon, TumorOrgan::kPancreas}) {
    EXPECT_THAT(doubts_about(asking_for(organ, 30), kTrained, kTrained), IsEmpty());
  }
}

TEST(RequestDoubts, AFieldOfViewThatIsTooSmallForTheOrgan) {
  const auto small = centered_geometry({64, 64, 64}, {3, 3, 3});
  EXPECT_THAT(doubts_about(asking_for(TumorOrgan::kColon), small, kTrained),
              ElementsAre(HasSubstr("192 x 192 x 192 mm can hardly hold the colon")));
  EXPECT_THAT(doubts_about(Prompt{}, small, kTrained), IsEmpty());
  auto part = asking_for(TumorOrgan::kColon);
  part.tumors->front().position = TumorPosition::kColonAscending;
  EXPECT_THAT(doubts_about(part, small, kTrained), IsEmpty());
}

TEST(RequestDoubts, AFieldOfViewWiderThanAnyone) {
  EXPECT_THAT(doubts_about(Prompt{}, centered_geometry({200, 64, 80}, {6, 6, 6}), kTrained),
              ElementsAre(HasSubstr("wider than any patient")));
}

TEST(RequestDoubts, TumorsThatNoVoxelShows) {
  EXPECT_THAT(doubts_about(asking_for(TumorOrgan::kLiver, 8), kTrained, kTrained),
              ElementsAre(HasSubstr("a tumor of 8 mm is smaller than two voxels of 6 mm")));
}

TEST(RequestDoubts, SpacingFarFromTraining) {
  EXPECT_THAT(doubts_about(Prompt{}, centered_geometry({512, 512, 512}, {0.7, 0.7, 0.7}), kTrained),
              ElementsAre(HasSubstr("much finer than those of training (6 mm)")));
  EXPECT_THAT(doubts_about(Prompt{}, centered_geometry({32, 32, 32}, {6, 6, 15}), kTrained),
              ElementsAre(HasSubstr("15 mm along z are much coarser")));
}

}  // namespace
}  // namespace guidegen
