#include "generate/page_parts.hpp"

namespace guidegen {

// Texts reach the page through textContent and attributes alone, so none of them can be markup.
// The keys of a case are those of batch_page.cpp.
const char* const kPageScript = R"js(
"use strict";
(function () {
  const cases = JSON.parse(document.getElementById("cases").textContent);
  const form = document.getElementById("filters");
  const main = document.querySelector("main");
  const more = document.getElementById("more");
  const field = (name) => form.elements.namedItem(name);
  const STEP = 24;  // cards made at a time

  const groups = (item) => item.want || [];
  const wanted = (item, key) => groups(item).map((group) => group[key]);
  cases.forEach((item, place) => {
    item.place = place;
    item.words = (item.id + " " + item.text).toLowerCase();
    item.failed = item.gates.filter((gate) => !gate.passed).map((gate) => "failed " + gate.name);
    item.gate_words = [item.passed ? "passed" : "failed"].concat(item.failed);
    item.largest = Math.max(0, ...item.found.map((tumor) => tumor.mm || 0));
  });

  // --- what filters and orders there are -----------------------------------------------------
  const choices = {
    sex: (item) => [item.sex],
    race: (item) => [item.race],
    contrast: (item) => [item.contrast],
    organ: (item) => item.want && !item.want.length ? ["no tumor"] : wanted(item, "organ"),
    position: (item) => groups(item).map((group) => group.position &&
                                         group.organ + ": " + group.position),
    tumors: (item) => wanted(item, "count"),
    gates: (item) => item.gate_words,
  };
  const orders = {
    "order of prompts": (a, b) => a.place - b.place,
    "id": (a, b) => a.id < b.id ? -1 : a.id > b.id ? 1 : 0,
    "age": (a, b) => (a.age ?? 999) - (b.age ?? 999),
    "failed gates first": (a, b) => b.failed.length - a.failed.length,
    "largest tumor found": (a, b) => b.largest - a.largest,
    "number of tumors found": (a, b) => b.found.length - a.found.length,
    "attempts": (a, b) => b.attempts - a.attempts,
  };
  const collator = new Intl.Collator("en", {numeric: true});
  for (const [name, of] of Object.entries(choices)) {
    const seen = new Set(cases.flatMap(of).filter((value) => value !== undefined).map(String));
    field(name).add(new Option("any", ""));
    [...seen].sort(collator.compare).forEach((value) => field(name).add(new Option(value, value)));
  }
  Object.keys(orders).forEach((name) => field("sort").add(new Option(name, name)));

  function within(value, low, high) {
    if (low === "" && high === "") return true;
    return value !== undefined && (low === "" || value >= +low) && (high === "" || value <= +high);
  }

  /// One group of tumors must fit all that is asked of tumors.
  function group_fits(group, asked) {
    return (!asked.organ || group.organ === asked.organ) &&
      (!asked.position || group.organ + ": " + group.position === asked.position) &&
      (!asked.tumors || String(group.count) === asked.tumors) &&
      within(group.mm, asked["size-from"], asked["size-to"]);
  }

  function fits(item, asked, words) {
    if (!words.every((word) => item.words.includes(word))) return false;
    for (const name of ["sex", "race", "contrast"]) {
      if (asked[name] && item[name] !== asked[name]) return false;
    }
    if (asked.gates && !item.gate_words.includes(asked.gates)) return false;
    if (!within(item.age, asked["age-from"], asked["age-to"])) return false;
    const of_tumors = ["organ", "position", "tumors", "size-from", "size-to"];
    if (of_tumors.every((name) => !asked[name])) return true;
    if (asked.organ === "no tumor") {
      return Boolean(item.want) && !item.want.length &&
        of_tumors.slice(1).every((name) => !asked[name]);
    }
    return groups(item).some((group) => group_fits(group, asked));
  }

  // --- cards -----------------------------------------------------------------------------------
  function element(tag, text, attributes) {
    const made = document.createElement(tag);
    if (text !== undefined && text !== null) made.textContent = text;
    for (const name in attributes || {}) made.setAttribute(name, attributes[name]);
    return made;
  }
  function add(parent, ...children) { parent.append(...children); return parent; }

  function mark(passed) {
    return element("span", passed ? "passed" : "failed",
                   {"class": "mark " + (passed ? "good" : "bad")});
  }
  function table(head, rows) {
    const body = element("tbody");
    rows.forEach((row) => add(body, add(element("tr"), ...row.map(
      (cell) => cell instanceof Node ? add(element("td"), cell) : element("td", cell)))));
    const titles = head.map((title) => element("th", title, {"scope": "col"}));
    return add(element("table"), add(element("thead"), add(element("tr"), ...titles)), body);
  }
  function tumor_words(group) {
    return (group.count ? group.count + " × " : "") +
      (group.position ? group.position + " " : "") + group.organ + " tumor" +
      (group.mm ? ", " + group.mm + " mm" : "") + (group.stage ? ", " + group.stage : "");
  }
  function chips(item) {
    const texts = [item.sex, item.age === undefined ? "" : item.age + " years", item.race,
                   item.contrast && "contrast: " + item.contrast, item.want && !item.want.length &&
                   "no tumor"].concat(groups(item).map(tumor_words));
    return add(element("ul", null, {"class": "chips"}),
               ...texts.filter(Boolean).map((text) => element("li", text)));
  }
  function details(item) {
    const box = add(element("details"), element("summary", "Gates and tumors"));
    // Its tables are made when it is opened for the first time.
    box.addEventListener("toggle", () => {
      add(box,
          item.gates.length
            ? table(["Gate", "Wanted", "Measured", "Result"], item.gates.map(
                (gate) => [gate.name, gate.wanted, gate.measured, mark(gate.passed)]))
            : element("p", "The prompt leaves everything open.", {"class": "facts"}),
          item.found.length
            ? table(["Tumor found in", "Position", "Diameter", "Volume"], item.found.map(
                (tumor) => [tumor.organ || "-", tumor.position || "-", tumor.mm + " mm",
                            tumor.ml + " ml"]))
            : element("p", "No tumor in the mask.", {"class": "facts"}));
    }, {once: true});
    return box;
  }
  function card(item) {
    const folder = encodeURIComponent(item.id) + "/";
    const picture = element("img", null, {
      "alt": "CT and mask of " + item.id, "loading": "lazy", "decoding": "async",
      "width": item.picture[0], "height": item.picture[1], "src": folder + "preview.png"});
    picture.addEventListener("error", () =>
      picture.replaceWith(element("span", "preview.png is missing", {"class": "missing"})));
    const files = element("p", null, {"class": "facts"});
    item.files.forEach((file) => add(files, element("a", file, {"href": folder + file})));
    const facts = item.size + " voxels of " + item.spacing + " mm, seed " + item.seed +
      ", attempts " + item.attempts;
    return add(element("article"),
      add(element("a", null, {"href": folder + "preview.png"}), picture),
      add(element("div", null, {"class": "body"}),
          add(element("h2", item.id), mark(item.passed)),
          element("p", item.text, {"class": "text"}), chips(item), details(item),
          element("p", facts, {"class": "facts"}), files));
  }

  // --- showing what fits -----------------------------------------------------------------------
  let found = [];
  let shown = 0;
  function show_more() {
    const next = found.slice(shown, shown + STEP);
    shown += next.length;
    add(main, ...next.map(card));
    more.hidden = shown >= found.length;
    more.textContent = "Show more (" + (found.length - shown) + " left)";
  }
  function update() {
    const asked = Object.fromEntries(new FormData(form));
    const words = asked.words.toLowerCase().split(/\s+/).filter(Boolean);
    found = cases.filter((item) => fits(item, asked, words));
    found.sort((a, b) => orders[asked.sort](a, b) || a.place - b.place);
    main.replaceChildren();
    shown = 0;
    show_more();
    document.getElementById("count").textContent =
      found.length + " of " + cases.length + " cases";
    document.getElementById("none").hidden = found.length > 0;
    const kept = Object.entries(asked).filter(
      ([name, value]) => value && !(name === "sort" && value === field("sort").options[0].value));
    history.replaceState(null, "", "#" + new URLSearchParams(kept));
  }
  // The address keeps the filters, so that a view can be found again.
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (!field(name)) continue;
    field(name).value = value;
    if (field(name).selectedIndex === -1) field(name).selectedIndex = 0;
  }
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(update));
  more.addEventListener("click", () => {
    const before = main.children.length;
    show_more();
    // The keyboard goes on at the first new card.
    main.children[before].querySelector("a").focus();
  });
  new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting) && !more.hidden) show_more();
  }, {rootMargin: "800px"}).observe(more);
  update();
})();
)js";

}  // namespace guidegen
