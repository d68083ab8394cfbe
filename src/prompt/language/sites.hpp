#pragma once

#include <vector>

#include "prompt/language/items.hpp"

namespace guidegen::language {

/// One place of a text, from one or several items: "upper lobe of the left lung".
struct Site {
  Place place;
  size_t first = 0;  ///< items, last inclusive
  size_t last = 0;
};

/// Places that are joined: "the liver and both kidneys". They share what only one of them says:
/// "left and right kidney", "right upper and lower lobes".
struct SiteList {
  std::vector<Site> sites;
  size_t first = 0;  ///< items, last inclusive
  size_t last = 0;
  /// A preposition stands before it, so that it says where something is that came before.
  bool governed = false;
};

/// The site lists among the items [first, last) of one sentence, in order.
std::vector<SiteList> sites_of(const std::vector<Item>& items, size_t first, size_t last);

}  // namespace guidegen::language
