// The elements that several widgets are made of, without behaviour.

import { make, setText } from "./common.js";
import { keepKeys } from "./keys.js";

// A widget's root, which keeps its keys: its parts, the text that is read aloud, and the element on which the
// theme's colours are read.
export function widgetRoot(words, kind, ...parts) {
  const live = make("p", { class: "dl-live dl-hidden", "aria-live": "polite" });
  const probe = make("span", { class: "dl-probe", "aria-hidden": "true" });
  const attributes = { class: `dl-widget dl-${kind}`, role: "group", "aria-label": words.title };
  const root = make("div", attributes, ...parts, live, probe);
  keepKeys(root);
  return { root, live, probe };
}

// A picture; the keyboard reaches a focusable one.
export function canvasOf(name, focusable = false) {
  return make("canvas", { class: `dl-${name}`, role: "img", tabindex: focusable ? 0 : null });
}

export function titleOf(text, note) {
  return make("p", { class: "dl-title" }, make("strong", {}, text), ...(note ? [note] : []));
}

// A row of named numbers; the words hold `fact_NAME` and `about_NAME`. Not a <dl>: Jupyter's pages style that.
export function factList(words, names) {
  const facts = {};
  const list = make("div", { class: "dl-facts", role: "list" });
  for (const name of names) {
    facts[name] = make("b", { "data-fact": name });
    const title = words[`about_${name}`];
    list.append(
      make(
        "div",
        { class: "dl-fact", role: "listitem", title },
        make("span", {}, words[`fact_${name}`]),
        facts[name],
      ),
    );
  }
  return { facts, list };
}

export function writeFacts(facts, shown) {
  for (const [name, text] of Object.entries(shown)) setText(facts[name], text);
}

// A table around `body`; the words hold `column_NAME` for each head, and may hold `title_NAME`.
export function tableOf(words, label, names, body) {
  const heads = names.map((name) =>
    make("th", { scope: "col", title: words[`title_${name}`] }, words[`column_${name}`]),
  );
  const head = make("thead", {}, make("tr", {}, ...heads));
  return make("table", { class: "dl-layers", "aria-label": label }, head, body);
}
