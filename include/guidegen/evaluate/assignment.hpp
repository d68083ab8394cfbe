#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace guidegen {

/// Pairs rows with columns one to one at the least total cost: `cost[row][column]`, all rows of one
/// length, finite. Gives the column of each row; where there are more rows than columns, the rows
/// that cost least to leave out have none. Hungarian method with potentials (Kuhn, Naval Res.
/// Logist. Q. 2:83, 1955), O(rows² · columns) for no more rows than columns. Throws
/// Error(kFailure) for rows of unequal length.
std::vector<std::optional<size_t>> assign_at_least_cost(
    const std::vector<std::vector<double>>& cost);

}  // namespace guidegen
