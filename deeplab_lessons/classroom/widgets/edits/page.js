// The edits explorer's elements, and its table, without behaviour.

import { make } from "../shared/common.js";
import { widgetRoot, canvasOf, titleOf, factList, tableOf } from "../shared/parts.js";

export const SWITCHES = ["keep_resolution", "dilate", "dilate_pool5", "new_classes", "pad_fc6"];
const EDIT_COLUMNS = [
  "layer",
  "kernel",
  "stride",
  "dilation",
  "channels",
  "map",
  "jump",
  "field",
  "parameters",
  "work",
];

export function editsPage(words, choices) {
  const tick = (name) => make("input", { type: "checkbox", class: `dl-tick dl-tick-${name}` });
  const line = (...children) => make("label", { class: "dl-edit" }, ...children);
  const ticks = Object.fromEntries(SWITCHES.map((name) => [name, tick(name)]));
  const always = make("input", { type: "checkbox", class: "dl-tick", checked: "", disabled: "" });
  const fc6 = make("select", { class: "dl-fc6", "aria-label": words.edit_fc6 });
  fc6.append(...choices.map((choice) => make("option", { value: choice }, words[`fc6_${choice}`])));
  const all = make("button", { type: "button", class: "dl-all" }, words.all);
  const none = make("button", { type: "button", class: "dl-none" }, words.none);
  const size = make("input", {
    type: "number",
    class: "dl-input-size",
    min: 224,
    max: 640,
    step: 1,
    "aria-label": words.input_size_label,
  });
  const list = make(
    "div",
    { class: "dl-edits", role: "group", "aria-label": words.edits },
    line(always, make("span", {}, words.edit_convolutional)),
    ...SWITCHES.slice(0, 4).map((name) => line(ticks[name], make("span", {}, words[`edit_${name}`]))),
    line(make("span", {}, words.edit_fc6), fc6),
    line(ticks.pad_fc6, make("span", {}, words.edit_pad_fc6)),
    make(
      "span",
      { class: "dl-edit" },
      all,
      none,
      make("span", {}, words.input_title),
      size,
      make("span", {}, words.pixels),
    ),
  );
  const status = make("p", { class: "dl-status", role: "alert" });
  const { facts, list: factBox } = factList(words, ["stride", "map", "field", "parameters", "work"]);
  factBox.classList.add("dl-edit-facts");
  const { profile, planes, ...pictures } = editPictures(words);
  const body = make("tbody");
  const table = tableOf(words, words.layers, EDIT_COLUMNS, body);
  table.classList.add("dl-edit-table");
  const hint = make("p", { class: "dl-notes dl-edits-note" }, words.edits_hint);
  const editor = make("div", { class: "dl-editor", role: "group", "aria-label": words.layers }, table);
  const switches = make("div", { class: "dl-edit-switches" }, list, status);
  const grid = make("div", { class: "dl-edit-grid" }, switches, factBox, profile, planes, editor, hint);
  const root = widgetRoot(words, "edits-explorer", grid);
  return { ...root, ...pictures, planes, ticks, fc6, all, none, size, status, facts, editor, body };
}

function editPictures(words) {
  const canvases = {
    profile: canvasOf("profile"),
    output: canvasOf("output", true),
    input: canvasOf("input"),
  };
  const notes = { output: make("small"), input: make("small") };
  const profileBox = make("div", {}, canvases.profile);
  const planes = make(
    "div",
    { class: "dl-planes" },
    make("div", {}, titleOf(words.output_title, notes.output), canvases.output),
    make("div", {}, titleOf(words.input_title, notes.input), canvases.input),
  );
  const profile = make(
    "div",
    { class: "dl-edit-profile" },
    titleOf(words.profile_title, make("small", {}, words.profile_note)),
    profileBox,
  );
  return { canvases, notes, profileBox, profile, planes };
}

// One bar per layer, its height the logarithm of the map's side; dilated layers in the unit's colour.
export function drawProfile(ctx, width, height, { layers, fields }, colours) {
  const pitch = width / layers.length;
  const [top, bottom] = [30, height - 52];
  const tall = (side) => ((bottom - top) * Math.log2(side + 1)) / Math.log2(fields[0].out + 1);
  ctx.textAlign = "center";
  layers.forEach((layer, i) => {
    const side = fields[i + 1].out;
    const bar = tall(side);
    const x = (i + 0.5) * pitch;
    ctx.fillStyle = layer.dilation > 1 ? colours.unit : layer.pool ? colours.faint : colours.touched;
    ctx.fillRect(x - 0.38 * pitch, bottom - bar, 0.76 * pitch, bar);
    ctx.fillStyle = colours.ink;
    ctx.font = `11px ${colours.font}`;
    ctx.textBaseline = "bottom";
    if (side !== fields[i].out || i === 0) ctx.fillText(String(side), x, bottom - bar - 2);
    ctx.save();
    ctx.translate(x, bottom + 5);
    ctx.rotate(-Math.PI / 2);
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    ctx.fillText(layer.name, 0, 0);
    ctx.restore();
  });
}

// The rows from pool3 on; what the edits never touch stands in the first one.
export function editTable(body, words, { layers, fields, costs, plain }) {
  const first = layers.findIndex((layer) => layer.name === "pool3");
  const sum = (key) => costs.slice(0, first + 1).reduce((all, cost) => all + cost[key], 0);
  const begin = [
    words.first_layers,
    "",
    "",
    "",
    layers[first].channels,
    ...fieldCells(fields[first + 1]),
    sum("parameters"),
    billions(sum("work")),
  ];
  const rows = layers
    .slice(first + 1)
    .map((layer, i) => numbersOfLayer(layer, fields[first + 2 + i], costs[first + 1 + i]));
  const before = plain.layers
    .slice(first + 1)
    .map((layer, i) => numbersOfLayer(layer, plain.fields[first + 2 + i], plain.costs[first + 1 + i]));
  const lines = [begin, ...rows].map((cells, i) => editLine(cells, i ? before[i - 1] : cells));
  body.replaceChildren(...lines);
}

export function billions(work) {
  return work ? (work / 1e9).toFixed(2) : "";
}

function fieldCells(field) {
  return [field.out, field.jump, field.size];
}

function numbersOfLayer(layer, field, cost) {
  return [
    layer.name,
    layer.kernel_size,
    layer.stride,
    layer.dilation,
    layer.channels,
    ...fieldCells(field),
    cost.parameters || "",
    billions(cost.work),
  ];
}

function editLine(cells, before) {
  const [name, ...numbers] = cells;
  const shown = numbers.map((number, i) => {
    const text = typeof number === "number" ? number.toLocaleString("en") : number;
    const changed = number !== before[i + 1];
    return make("td", { class: "dl-number" }, changed ? make("b", { class: "dl-changed" }, text) : text);
  });
  return make("tr", {}, make("th", { scope: "row" }, name), ...shown);
}
