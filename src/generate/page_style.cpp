#include "generate/page_parts.hpp"

namespace guidegen {

const char* const kPageStyle = R"css(
header { background: var(--card); padding: 14px 24px; border-bottom: 1px solid var(--line); }
h1 { font-size: 18px; margin: 0 0 10px; overflow-wrap: anywhere; }
form { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: end; }
label, fieldset { color: var(--soft); font-size: 12px; }
label { display: flex; flex-direction: column; gap: 2px; }
fieldset { border: 0; padding: 0; margin: 0; min-width: 0; }
legend { padding: 0; margin-bottom: 2px; }
fieldset div { display: flex; gap: 4px; align-items: center; }
input, select, button { font: inherit; font-size: 14px; color: var(--ink);
  background: var(--page); border: 1px solid var(--line); border-radius: 6px; padding: 4px 8px;
  min-height: 32px; max-width: 100%; }
input[type=search] { width: 17em; }
input[type=number] { width: 5em; }
button { cursor: pointer; }
input:focus-visible, select:focus-visible, button:focus-visible, a:focus-visible,
summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
#count { margin: 0 0 0 auto; color: var(--soft); font-size: 13px; align-self: center; }
main { display: grid; gap: 18px; padding: 18px 24px 12px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 360px), 1fr)); }
article { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  overflow: hidden; display: flex; flex-direction: column; }
article > a { display: block; background: #000; color: #fff; font-size: 13px; }
.missing { display: block; padding: 10px 16px; }
article img { display: block; width: 100%; height: auto; background: #000; color: #fff; }
.body { padding: 12px 16px 14px; }
h2 { font-size: 15px; margin: 0; display: flex; gap: 8px; justify-content: space-between;
  align-items: baseline; overflow-wrap: anywhere; }
.text { margin: 6px 0 10px; overflow-wrap: anywhere; }
.chips { display: flex; flex-wrap: wrap; gap: 6px; padding: 0; margin: 0 0 10px;
  list-style: none; }
.chips li { border: 1px solid var(--line); border-radius: 999px; padding: 0 9px;
  font-size: 13px; }
.mark { font-size: 12px; font-weight: 600; border-radius: 999px; padding: 1px 9px; flex: none; }
.good { color: var(--good); background: var(--good-back); }
.bad { color: var(--bad); background: var(--bad-back); }
table { border-collapse: collapse; width: 100%; font-size: 13px; margin: 4px 0 8px; }
th, td { text-align: left; padding: 3px 8px 3px 0; border-top: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 500; }
summary { cursor: pointer; color: var(--accent); font-size: 13px; }
.facts { color: var(--soft); font-size: 13px; margin: 6px 0 0; overflow-wrap: anywhere; }
.facts a { margin-right: 10px; }
a { color: var(--accent); }
footer { padding: 0 24px 40px; color: var(--soft); }
[hidden] { display: none; }
@media (max-width: 600px) { header, main, footer { padding-left: 12px; padding-right: 12px; }
  form { gap: 8px 10px; } label:first-child, label:first-child input { width: 100%; } }
)css";

const char* const kPageControls = R"html(
<noscript><p>The cards are made by a script, which is switched off here. contact_sheet.png shows
the first cases, manifest.jsonl lists all.</p></noscript>
<form id="filters" aria-label="Filters" autocomplete="off">
<label>Words <input name="words" type="search" placeholder="in id and prompt"></label>
<label>Sex <select name="sex"></select></label>
<fieldset><legend>Age</legend><div><input name="age-from" type="number" min="0" max="120"
  placeholder="from" aria-label="Age from"><input name="age-to" type="number" min="0" max="120"
  placeholder="to" aria-label="Age to"></div></fieldset>
<label>Race <select name="race"></select></label>
<label>Contrast <select name="contrast"></select></label>
<label>Tumor organ <select name="organ"></select></label>
<label>Position <select name="position"></select></label>
<label>Count <select name="tumors"></select></label>
<fieldset><legend>Size in mm</legend><div><input name="size-from" type="number" min="0" max="150"
  placeholder="from" aria-label="Tumor size from, mm"><input name="size-to" type="number" min="0"
  max="150" placeholder="to" aria-label="Tumor size to, mm"></div></fieldset>
<label>Gates <select name="gates"></select></label>
<label>Sort by <select name="sort"></select></label>
<button type="reset">Reset</button>
<p id="count" role="status"></p>
</form>
)html";

}  // namespace guidegen
