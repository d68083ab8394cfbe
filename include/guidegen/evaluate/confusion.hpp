#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "guidegen/core/json.hpp"
#include "guidegen/evaluate/answer_summary.hpp"

namespace guidegen {

/// Where tumors were asked for in one organ, and where they were found (as in the GuideGen paper).
/// Rows: the positions of the organ, then "not asked", tumors found in the organ that answer
/// nothing. Columns: the positions, "unclear" (in the organ, its part unknown), "other organ",
/// "elsewhere" in the body (outside the five organs), "none" (no tumor left to answer). Tumors
/// asked for at no particular position are left out.
struct PositionMatrix {
  TumorOrgan organ = TumorOrgan::kLung;
  std::vector<std::vector<int64_t>> cells;
  Share right;  ///< the diagonal, of all rows but the last

  std::vector<std::string> row_names() const;
  std::vector<std::string> column_names() const;
  size_t positions() const { return cells.size() - 1; }
};

/// One matrix an organ that some case asks for at a position.
std::vector<PositionMatrix> position_matrices(const std::vector<CaseAnswer>& cases,
                                              const std::map<TumorOrgan, AnswerSummary>& by_organ);

/// How often so many tumors were asked for and so many found, by (case, organ) with a given count:
/// {asked, found} to the number of times.
using CountTable = std::map<std::pair<int64_t, int64_t>, int64_t>;
CountTable count_table(const std::vector<CaseAnswer>& cases);

/// A table of counts as a matrix. Rows: counts asked for; columns: 0 to one more than the largest
/// of them, the last one taking all larger ones ("4+").
struct CountMatrix {
  std::vector<int64_t> asked;
  std::vector<std::string> columns;
  std::vector<std::vector<int64_t>> cells;
};
CountMatrix count_matrix(const CountTable& table);

/// {"rows", "columns", "cells", "right"}
Json to_json(const PositionMatrix& matrix);
/// [{"asked", "found", "times"}]
Json to_json(const CountTable& table);

}  // namespace guidegen
