#include "prompt/language/sites.hpp"

#include <optional>

namespace guidegen::language {
namespace {

/// How two places that follow each other belong together.
enum class Link { kApart, kJoined, kSame };

class SiteReader {
 public:
  SiteReader(const std::vector<Item>& items, size_t first, size_t last)
      : items_(items), first_(first), last_(last) {}

  std::vector<SiteList> run() {
    for (size_t i = first_; i < last_; ++i) {
      if (items_[i].kind == Kind::kPlace) take(i);
    }
    for (SiteList& list : lists_) share(list);
    return std::move(lists_);
  }

 private:
  void take(size_t at) {
    const Place& place = items_[at].meaning->place;
    if (!lists_.empty()) {
      SiteList& list = lists_.back();
      Site& before = list.sites.back();
      const Link link = link_between(before.last, at);
      const std::optional<Place> both = merged(before.place, place);
      if (both && (link == Link::kSame || (link == Link::kJoined && is_detail(before, at)))) {
        before.place = *both;
        before.last = list.last = at;
        return;
      }
      if (link != Link::kApart) {
        list.sites.push_back({place, at, at});
        list.last = at;
        return;
      }
    }
    lists_.push_back({{{place, at, at}}, at, at, is_governed(at)});
  }

  /// "lung, right lower lobe", "colon (sigmoid)": the second only says more of the first.
  bool is_detail(const Site& before, size_t at) const {
    for (size_t i = before.last + 1; i < at; ++i) {
      if (items_[i].kind == Kind::kAnd || items_[i].is_mark("/")) return false;
    }
    const Place& place = items_[at].meaning->place;
    const bool named_before = before.place.organ && !before.place.implied;
    const bool named_after = place.organ && !place.implied;
    const bool adds =
        (place.side && !before.place.side) || (!place.part.empty() && before.place.part.empty());
    return (named_before != named_after || before.place.organ == place.organ) &&
           (adds || !named_before);
  }

  Link link_between(size_t from, size_t to) const {
    Link link = Link::kSame;
    for (size_t i = from + 1; i < to; ++i) {
      const Item& item = items_[i];
      const bool join = item.kind == Kind::kAnd || item.is_mark(",") || item.is_mark("/") ||
                        item.is_mark("(") || item.is_mark(":");
      const bool glue = item.kind == Kind::kPreposition || item.kind == Kind::kDefinite ||
                        item.is_mark("-") || item.is_mark("'");
      if (join) link = Link::kJoined;
      if (!join && !glue) return Link::kApart;
    }
    return link;
  }

  bool is_governed(size_t at) const {
    for (size_t i = at; i-- > first_;) {
      const Kind kind = items_[i].kind;
      if (kind == Kind::kPreposition) return true;
      if (kind != Kind::kDefinite && kind != Kind::kUnknown) return false;
    }
    return false;
  }

  static void share(SiteList& list) {
    std::vector<Site>& sites = list.sites;
    // "left and right kidney": the organ stands with the last.
    for (size_t i = sites.size() - 1; i-- > 0;) {
      if (!sites[i].place.organ && !sites[i].place.outside)
        fill(sites[i].place, sites[i + 1].place);
    }
    for (size_t i = 1; i < sites.size(); ++i) {
      Place& place = sites[i].place;
      const Place& before = sites[i - 1].place;
      if (!place.organ && !place.outside) fill(place, before);
      // "right upper and lower lobes"
      const bool lobes = place.organ == TumorOrgan::kLung && before.organ == place.organ;
      if (lobes && !place.side && !place.part.empty()) place.side = before.side;
    }
  }

  static void fill(Place& place, const Place& from) {
    place.organ = from.organ;
    place.implied = from.implied;
    place.outside = from.outside;
    if (!place.side && place.part.empty()) return;
    if (!place.part.empty() && !place.side && from.organ == TumorOrgan::kLung) {
      place.side = from.side;
    }
    // "left and right upper lobes"
    if (place.part.empty() && from.organ == TumorOrgan::kLung) place.part = from.part;
  }

  const std::vector<Item>& items_;
  size_t first_;
  size_t last_;
  std::vector<SiteList> lists_;
};

}  // namespace

std::vector<SiteList> sites_of(const std::vector<Item>& items, size_t first, size_t last) {
  return SiteReader(items, first, last).run();
}

}  // namespace guidegen::language
