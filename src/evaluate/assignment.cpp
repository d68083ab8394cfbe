#include "guidegen/evaluate/assignment.hpp"

#include <limits>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

using Matrix = std::vector<std::vector<double>>;

Matrix transposed(const Matrix& cost) {
  Matrix result(cost.front().size(), std::vector<double>(cost.size()));
  for (size_t i = 0; i < cost.size(); ++i) {
    for (size_t j = 0; j < cost[i].size(); ++j) result[j][i] = cost[i][j];
  }
  return result;
}

/// Rows enter one by one; each is let in along the shortest augmenting path. Rows and columns count
/// from 1 here, 0 stands for "none".
class Assignment {
 public:
  explicit Assignment(const Matrix& cost)
      : cost_(cost),
        columns_(cost.front().size()),
        row_potential_(cost.size() + 1),
        column_potential_(columns_ + 1),
        row_of_(columns_ + 1),
        way_(columns_ + 1) {
    for (size_t row = 1; row <= cost.size(); ++row) let_in(row);
  }

  std::vector<std::optional<size_t>> columns_of_rows() const {
    std::vector<std::optional<size_t>> result(cost_.size());
    for (size_t column = 1; column <= columns_; ++column) {
      if (row_of_[column] != 0) result[row_of_[column] - 1] = column - 1;
    }
    return result;
  }

 private:
  void let_in(size_t row) {
    row_of_[0] = row;
    size_t column = 0;
    std::vector<double> slack(columns_ + 1, std::numeric_limits<double>::infinity());
    std::vector<bool> visited(columns_ + 1);
    do {
      visited[column] = true;
      column = nearest_column(column, slack, visited);
    } while (row_of_[column] != 0);
    for (; column != 0; column = way_[column]) row_of_[column] = row_of_[way_[column]];
  }

  size_t nearest_column(size_t from, std::vector<double>& slack, const std::vector<bool>& visited) {
    const size_t row = row_of_[from];
    double least = std::numeric_limits<double>::infinity();
    size_t nearest = 0;
    for (size_t column = 1; column <= columns_; ++column) {
      if (visited[column]) continue;
      const double reduced =
          cost_[row - 1][column - 1] - row_potential_[row] - column_potential_[column];
      if (reduced < slack[column]) {
        slack[column] = reduced;
        way_[column] = from;
      }
      if (slack[column] < least) {
        least = slack[column];
        nearest = column;
      }
    }
    for (size_t column = 0; column <= columns_; ++column) {
      if (visited[column]) {
        row_potential_[row_of_[column]] += least;
        column_potential_[column] -= least;
      } else {
        slack[column] -= least;
      }
    }
    return nearest;
  }

  const Matrix& cost_;
  size_t columns_;
  std::vector<double> row_potential_;
  std::vector<double> column_potential_;
  std::vector<size_t> row_of_;  ///< by column
  std::vector<size_t> way_;     ///< column before this one on the shortest path
};

}  // namespace

std::vector<std::optional<size_t>> assign_at_least_cost(const Matrix& cost) {
  std::vector<std::optional<size_t>> result(cost.size());
  if (cost.empty()) return result;
  const size_t columns = cost.front().size();
  for (const auto& row : cost) {
    if (row.size() != columns) {
      throw_failure("assignment: a row of ", row.size(), " costs, expected ", columns);
    }
  }
  if (columns == 0) return result;
  if (cost.size() <= columns) return Assignment(cost).columns_of_rows();
  const Matrix turned = transposed(cost);
  const auto rows = Assignment(turned).columns_of_rows();
  for (size_t column = 0; column < columns; ++column) {
    if (rows[column]) result[*rows[column]] = column;
  }
  return result;
}

}  // namespace guidegen
