#include "guidegen/evaluate/confusion.hpp"

#include <algorithm>
#include <array>

namespace guidegen {
namespace {

enum Beyond { kUnclear, kOtherOrgan, kElsewhere, kNone, kBeyondCount };
constexpr std::array kBeyondNames{"unclear", "other organ", "elsewhere", "none"};

PositionMatrix empty_matrix(TumorOrgan organ) {
  const size_t positions = positions_of(organ).size();
  PositionMatrix matrix;
  matrix.organ = organ;
  matrix.cells.assign(positions + 1, std::vector<int64_t>(positions + kBeyondCount));
  return matrix;
}

size_t place_of(TumorPosition position) {
  const std::vector<TumorPosition> all = positions_of(organ_of(position));
  return static_cast<size_t>(std::find(all.begin(), all.end(), position) - all.begin());
}

size_t column_of(const PositionMatrix& matrix, const FoundTumor* found) {
  const auto beyond = [&](Beyond column) { return matrix.positions() + column; };
  if (!found) return beyond(kNone);
  if (!found->organ) return beyond(kElsewhere);
  if (*found->organ != matrix.organ) return beyond(kOtherOrgan);
  return found->position ? place_of(*found->position) : beyond(kUnclear);
}

std::vector<std::string> position_names(TumorOrgan organ) {
  std::vector<std::string> names;
  for (const TumorPosition position : positions_of(organ)) names.push_back(name_of(position));
  return names;
}

}  // namespace

std::vector<std::string> PositionMatrix::row_names() const {
  std::vector<std::string> names = position_names(organ);
  names.emplace_back("not asked");
  return names;
}

std::vector<std::string> PositionMatrix::column_names() const {
  std::vector<std::string> names = position_names(organ);
  names.insert(names.end(), kBeyondNames.begin(), kBeyondNames.end());
  return names;
}

std::vector<PositionMatrix> position_matrices(const std::vector<CaseAnswer>& cases,
                                              const std::map<TumorOrgan, AnswerSummary>& by_organ) {
  std::vector<PositionMatrix> matrices;
  for (const auto& [organ, summary] : by_organ) {
    if (summary.position.proportion.total == 0) continue;
    PositionMatrix matrix = empty_matrix(organ);
    matrix.right = summary.position;
    for (const CaseAnswer& answer : cases) {
      if (!answer.judged) continue;
      for (const AskedTumor& tumor : answer.asked) {
        if (tumor.organ != organ || !tumor.position) continue;
        ++matrix.cells[place_of(*tumor.position)][column_of(matrix, answer.answer_to(tumor))];
      }
      for (const FoundTumor* tumor : answer.not_asked()) {
        if (tumor->organ == organ) ++matrix.cells.back()[column_of(matrix, tumor)];
      }
    }
    matrices.push_back(std::move(matrix));
  }
  return matrices;
}

CountTable count_table(const std::vector<CaseAnswer>& cases) {
  CountTable table;
  for (const CaseAnswer& answer : cases) {
    for (const auto& [organ, count] : answer.organs) {
      if (!count.count_open) ++table[{count.requested, count.found}];
    }
  }
  return table;
}

CountMatrix count_matrix(const CountTable& table) {
  CountMatrix matrix;
  if (table.empty()) return matrix;
  const int64_t last = table.rbegin()->first.first + 1;
  for (int64_t column = 0; column <= last; ++column) {
    matrix.columns.push_back(std::to_string(column) + (column == last ? "+" : ""));
  }
  for (const auto& [pair, times] : table) {
    if (matrix.asked.empty() || matrix.asked.back() != pair.first) {
      matrix.asked.push_back(pair.first);
      matrix.cells.emplace_back(matrix.columns.size());
    }
    matrix.cells.back()[static_cast<size_t>(std::min(pair.second, last))] += times;
  }
  return matrix;
}

Json to_json(const PositionMatrix& matrix) {
  Json json = Json::object();
  json["rows"] = matrix.row_names();
  json["columns"] = matrix.column_names();
  json["cells"] = matrix.cells;
  json["right"] = to_json(matrix.right);
  return json;
}

Json to_json(const CountTable& table) {
  Json json = Json::array();
  for (const auto& [pair, times] : table) {
    json.push_back({{"asked", pair.first}, {"found", pair.second}, {"times", times}});
  }
  return json;
}

}  // namespace guidegen
