#include "generate/page_parts.hpp"

namespace guidegen {

const char* const kPageStyle = R"css(
header { position: sticky; top: 0; z-index: 1; background: var(--card); padding: 12px 24px;
  border-bottom: 1px solid var(--line); }
h1 { font-size: 18px; margin: 0 0 8px; overflow-wrap: anywhere; }
form { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; }
label { color: var(--soft); font-size: 13px; }
input, select { font: inherit; font-size: 14px; color: var(--ink); background: var(--page);
  border: 1px solid var(--line); border-radius: 6px; padding: 4px 8px; margin-left: 4px; }
input { width: 16em; max-width: 60vw; }
input:focus-visible, select:focus-visible, a:focus-visible, summary:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 1px; }
#count { margin-left: auto; color: var(--soft); font-size: 13px; }
main { display: grid; gap: 18px; padding: 18px 24px 40px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); }
article { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  overflow: hidden; display: flex; flex-direction: column; }
article[hidden] { display: none; }
article img { display: block; width: 100%; height: auto; background: #000; }
.body { padding: 12px 16px 14px; }
h2 { font-size: 15px; margin: 0; display: flex; gap: 8px; justify-content: space-between;
  align-items: baseline; overflow-wrap: anywhere; }
.text { margin: 6px 0 10px; }
.chips { display: flex; flex-wrap: wrap; gap: 6px; padding: 0; margin: 0 0 10px; list-style: none; }
.chips li { border: 1px solid var(--line); border-radius: 999px; padding: 0 9px; font-size: 13px; }
.mark { font-size: 12px; font-weight: 600; border-radius: 999px; padding: 1px 9px; flex: none; }
.good { color: var(--good); background: var(--good-back); }
.bad { color: var(--bad); background: var(--bad-back); }
table { border-collapse: collapse; width: 100%; font-size: 13px; margin: 4px 0 8px; }
th, td { text-align: left; padding: 3px 8px 3px 0; border-top: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 500; }
summary { cursor: pointer; color: var(--accent); font-size: 13px; }
.facts { color: var(--soft); font-size: 13px; margin: 6px 0 0; overflow-wrap: anywhere; }
a { color: var(--accent); }
#none { grid-column: 1 / -1; color: var(--soft); }
)css";

const char* const kPageControls = R"html(
<form id="filters">
<label>Words <input id="words" type="search" placeholder="in id and prompt"></label>
<label>Tumor organ <select id="organ"></select></label>
<label>Sex <select id="sex"></select></label>
<label>Contrast <select id="contrast"></select></label>
<label>Gates <select id="gates"></select></label>
<span id="count" role="status"></span>
</form>
)html";

const char* const kPageScript = R"js(
(function () {
  var cards = Array.prototype.slice.call(document.querySelectorAll("article"));
  var keys = ["organ", "sex", "contrast", "gates"];
  var field = function (id) { return document.getElementById(id); };
  keys.forEach(function (key) {
    var seen = {};
    cards.forEach(function (card) {
      (card.dataset[key] || "").split(" ").forEach(function (value) { if (value) seen[value] = 1; });
    });
    field(key).add(new Option("any", ""));
    Object.keys(seen).sort().forEach(function (value) { field(key).add(new Option(value, value)); });
  });
  function update() {
    var words = field("words").value.toLowerCase().split(/\s+/).filter(Boolean);
    var shown = 0;
    cards.forEach(function (card) {
      var text = card.dataset.text;
      var fits = words.every(function (word) { return text.indexOf(word) >= 0; }) &&
        keys.every(function (key) {
          var wanted = field(key).value;
          return !wanted || (card.dataset[key] || "").split(" ").indexOf(wanted) >= 0;
        });
      card.hidden = !fits;
      if (fits) shown += 1;
    });
    field("count").textContent = shown + " of " + cards.length + " cases";
    field("none").hidden = shown > 0;
  }
  field("filters").addEventListener("input", update);
  field("filters").addEventListener("submit", function (event) { event.preventDefault(); });
  update();
})();
)js";

}  // namespace guidegen
