#include "guidegen/core/error.hpp"
#include "guidegen/core/resources.hpp"
#include "guidegen/evaluate/anatomy.hpp"

namespace guidegen {

AnatomyRules AnatomyRules::shipped() {
  const std::string name = "evaluate/anatomy.json";
  return from_json(parse_json(resource(name), name), name);
}

AnatomyRules AnatomyRules::from_json(const Json& document, const std::string& source) {
  JsonObject root(document, source);
  root.choice("format", {"guidegen-anatomy-rules"});
  root.integer("version", 1, 1);
  AnatomyRules rules;
  rules.one_piece = root.texts("one_piece");
  for (JsonObject& entry : root.objects("order")) {
    rules.order.push_back({entry.text("first"), entry.choice("is", {"right of", "above", "before"}),
                           entry.text("second")});
    entry.finish();
  }
  root.finish();
  return rules;
}

}  // namespace guidegen
