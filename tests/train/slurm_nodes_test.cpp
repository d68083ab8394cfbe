#include "guidegen/train/slurm_nodes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/error_matchers.hpp"

namespace guidegen {
namespace {

struct Example {
  std::string list;
  std::string first;
};

class FirstHost : public ::testing::TestWithParam<Example> {};

TEST_P(FirstHost, IsWhatScontrolPrintsFirst) {
  EXPECT_EQ(first_host(GetParam().list), GetParam().first);
}

INSTANTIATE_TEST_SUITE_P(
    Lists, FirstHost,
    ::testing::Values(Example{"gpu1", "gpu1"},                //
                      Example{"gpu1,gpu2", "gpu1"},           //
                      Example{"gpu1,node[003-007]", "gpu1"},  //
                      Example{"node[003-007,012],gpu1", "node003"},
                      Example{"node[012,003-007]", "node012"}, Example{"node[7]", "node7"},  //
                      Example{"node[0099-0101]", "node0099"}, Example{"a-b-01", "a-b-01"},   //
                      Example{"a-b-[01-02]", "a-b-01"}, Example{"n[1-2]-ib0", "n1-ib0"},     //
                      Example{"n[1-2]-ib0,n3-ib0", "n1-ib0"},
                      Example{"rack[2-3]-n[01-16]", "rack2-n01"},
                      Example{"rack[2,5]n[7,9]x", "rack2n7x"}, Example{"[10-12]", "10"},  //
                      Example{"host.example.org,b", "host.example.org"}));

class NotANodeList : public ::testing::TestWithParam<std::string> {};

TEST_P(NotANodeList, IsQuotedInTheError) {
  EXPECT_THAT([] { first_host(GetParam()); },
              throws_usage(testing::StartsWith("Slurm node list '" + GetParam() + "': ")));
}

INSTANTIATE_TEST_SUITE_P(Lists, NotANodeList,
                         ::testing::Values("", ",", ",gpu1", "node[", "node[1-3", "node]", "node[]",
                                           "node[a-b]", "node[-3]", "node[,3]", "node[1[2]]",
                                           "node[1,2]]"));

}  // namespace
}  // namespace guidegen
