// The explorer's elements, without behaviour.

import { make, factList } from "../shared/common.js";

export const LARGEST = 1025; // pixels a side, as in Python

export function explorerPage(words, presets) {
  const bar = controlBar(words, presets);
  const { facts, list } = factList(words, ["field", "jump", "start", "map", "touched", "holes", "most"]);
  const pictures = pictureBoxes(words);
  const editor = make("div", { class: "dl-editor" });
  const add = make("button", { class: "dl-add", type: "button" }, words.add);
  const status = make("p", { class: "dl-status", role: "alert" });
  const live = make("p", { class: "dl-live dl-hidden", "aria-live": "polite" });
  const probe = make("span", { class: "dl-probe", "aria-hidden": "true" });
  const root = make("section", {
    class: "dl-widget dl-explorer",
    "aria-label": words.title,
    "data-lm-suppress-shortcuts": "true",
  });
  root.append(bar.node, status, list, pictures.node, legend(words), editor, add, live, probe);
  return { ...bar, ...pictures, root, status, editor, add, live, probe, facts };
}

function controlBar(words, presets) {
  const preset = make(
    "select",
    { class: "dl-preset", "aria-label": words.preset },
    ...presetOptions(words, presets),
  );
  const restore = make(
    "button",
    { class: "dl-restore", type: "button", title: words.restore_label },
    words.restore,
  );
  const size = make("input", {
    class: "dl-input-size",
    type: "number",
    min: 1,
    max: LARGEST,
    step: 1,
    "aria-label": words.input_size_label,
  });
  const units = ["row", "column"].map((axis) =>
    make("input", {
      class: `dl-unit-${axis}`,
      type: "number",
      min: 0,
      step: 1,
      "aria-label": words[`unit_${axis}`],
    }),
  );
  const hold = make("button", { class: "dl-hold", type: "button", title: words.hold_label }, words.hold);
  const group = (...children) => make("span", { class: "dl-group" }, ...children.map(wrapped));
  const node = make(
    "div",
    { class: "dl-bar" },
    group(words.preset, preset, restore),
    group(words.input_title, size, words.pixels),
    group(words.unit, words.row_short, units[0], words.column_short, units[1], hold),
  );
  return { node, preset, restore, size, units, hold };
}

// A bare word would stick to its neighbour in a flex row.
function wrapped(child) {
  return typeof child === "string" ? make("span", {}, child) : child;
}

function presetOptions(words, presets) {
  const groups = new Map();
  for (const [key, { label, group }] of Object.entries(presets)) {
    if (!groups.has(group)) groups.set(group, make("optgroup", { label: group }));
    groups.get(group).append(make("option", { value: key }, label));
  }
  return [make("option", { value: "own", disabled: "", hidden: "" }, words.own), ...groups.values()];
}

function pictureBoxes(words) {
  const canvas = (name, focusable) =>
    make("canvas", { class: `dl-${name}`, role: "img", tabindex: focusable ? 0 : null });
  const canvases = {
    side: canvas("side", true),
    output: canvas("output", true),
    input: canvas("input", false),
  };
  const outputNote = make("small");
  const inputNote = make("small");
  const title = (text, note) => make("p", { class: "dl-title" }, make("strong", {}, text), note);
  const side = make("div", { class: "dl-side-box" }, canvases.side);
  const planes = make(
    "div",
    { class: "dl-planes" },
    make("div", { class: "dl-output-box" }, title(words.output_title, outputNote), canvases.output),
    make("div", {}, title(words.input_title, inputNote), canvases.input),
  );
  const node = make(
    "div",
    { class: "dl-pictures" },
    make("div", {}, title(words.side_title, make("small", {}, words.side_note)), side),
    planes,
  );
  return { canvases, side, planes, outputNote, inputNote, node };
}

function legend(words) {
  const item = (kind, text) =>
    make("li", {}, make("i", { class: `dl-key dl-key-${kind}`, "aria-hidden": "true" }), text);
  const items = ["unit", "few", "many", "hole", "padding"].map((kind) => item(kind, words[`legend_${kind}`]));
  return make(
    "div",
    { class: "dl-notes" },
    make("ul", { class: "dl-legend" }, ...items),
    make("p", {}, words.hint),
  );
}
