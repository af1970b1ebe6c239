// The explorer's elements, without behaviour.

import { make } from "../shared/common.js";
import { widgetRoot, canvasOf, titleOf, factList } from "../shared/parts.js";

export const LARGEST = 1025; // pixels per side, as in Python

export function explorerPage(words, presets) {
  const bar = controlBar(words, presets);
  const { facts, list } = factList(words, ["field", "jump", "start", "map", "touched", "holes", "most"]);
  const pictures = pictureBoxes(words);
  const editor = make("div", { class: "dl-editor" });
  const add = make("button", { class: "dl-add", type: "button" }, words.add);
  const status = make("p", { class: "dl-status", role: "alert" });
  const parts = [bar.node, status, list, pictures.node, legend(words), editor, add];
  return { ...bar, ...pictures, ...widgetRoot(words, "explorer", ...parts), status, editor, add, facts };
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
  const canvases = {
    side: canvasOf("side", true),
    output: canvasOf("output", true),
    input: canvasOf("input"),
  };
  const outputNote = make("small");
  const inputNote = make("small");
  const side = make("div", { class: "dl-side-box" }, canvases.side);
  const planes = make(
    "div",
    { class: "dl-planes" },
    make("div", { class: "dl-output-box" }, titleOf(words.output_title, outputNote), canvases.output),
    make("div", {}, titleOf(words.input_title, inputNote), canvases.input),
  );
  const node = make(
    "div",
    { class: "dl-pictures" },
    make("div", {}, titleOf(words.side_title, make("small", {}, words.side_note)), side),
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
