// A map coloured by how many of nine taps fall on it, the shares of its cells, and the same for every dilation.

import {
  make,
  say,
  clamp,
  commit,
  oncePerFrame,
  surface,
  readColours,
  markTheme,
  followPointer,
  followKeys,
  setText,
  announce,
  follow,
  isPlace,
} from "../shared/common.js";
import { widgetRoot, canvasOf, titleOf, tableOf } from "../shared/parts.js";
import { sliderBox, writeSliders, followSliders, withinLimits } from "../shared/sliders.js";
import { TAP_COUNTS, tapShares } from "../shared/taps.js";
import { drawTapMap, lastRate, drawTapChart } from "./chart.js";

// Both numbers have the same limits.
function tapLimits(largest) {
  const limits = { min: 1, max: largest, step: 1 };
  return { dilation: limits, map_size: limits };
}

function render({ model, el }) {
  const words = model.get("_words");
  const parts = tapsPage(words, model.get("_colours"), model.get("_largest"));
  const view = { model, words, parts, preview: null, side: 0 };
  view.redraw = oncePerFrame(() => drawTaps(view));
  wireTaps(view);
  el.append(parts.root);
  return follow(view, parts.root, model, ["dilation", "map_size", "cell"]);
}

function percentOf(share) {
  return (Math.round(1000 * share) / 10).toFixed(1);
}

function tapSentence(words, { dilation, map_size: size, cell: [row, column] }) {
  const { axis, shares } = tapShares(size, dilation);
  const kind = shares[9] ? "said_whole" : shares[1] === 1 ? "said_point" : "said_none";
  const values = { dilation, size, nine: percentOf(shares[9]), one: percentOf(shares[1]) };
  return `${say(words, kind, values)} ${say(words, "said_cell", { row, column, taps: axis[row] * axis[column] })}`;
}

function tapsPage(words, colours, largest) {
  const { box, sliders } = sliderBox(words, tapLimits(largest));
  const note = make("small");
  const canvas = canvasOf("tap-map", true);
  const curves = canvasOf("tap-chart");
  const said = make("p", { class: "dl-said" });
  const { table, rows } = tapTable(words, colours);
  const left = make("div", {}, titleOf(words.map_title, note), canvas);
  const chartTitle = titleOf(words.chart_title, make("small", {}, words.chart_note));
  const right = make("div", {}, table, chartTitle, curves);
  const notes = make(
    "div",
    { class: "dl-notes" },
    make("p", {}, words.legend_cell),
    make("p", {}, words.hint),
  );
  const root = widgetRoot(
    words,
    "valid-taps",
    box,
    said,
    make("div", { class: "dl-pictures" }, left, right),
    notes,
  );
  return { ...root, sliders, canvas, curves, left, right, note, said, rows };
}

function tapTable(words, colours) {
  const rows = {};
  const body = make("tbody");
  for (const count of TAP_COUNTS) {
    const key = make("i", { class: "dl-key", style: `background: ${colours[count]}`, "aria-hidden": "true" });
    const [cells, share] = ["cells", "share"].map((name) =>
      make("td", { class: "dl-number", "data-value": name }),
    );
    rows[count] = { cells, share };
    body.append(
      make("tr", { "data-taps": count }, make("th", { scope: "row" }, key, String(count)), cells, share),
    );
  }
  return { table: tableOf(words, words.table_label, ["taps", "cells", "share"], body), rows };
}

// Everything that is drawn and written follows from this.
function tapState({ model, preview }) {
  const [dilation, size] = ["dilation", "map_size"].map((name) => model.get(name));
  const cell = (preview ?? model.get("cell")).map((place) => clamp(place, 0, size - 1));
  return { dilation, size, cell, ...tapShares(size, dilation) };
}

function drawTaps(view) {
  const { parts, model } = view;
  const side = Math.floor(Math.min(parts.left.clientWidth, 520));
  if (!side) return;
  markTheme(parts.root);
  const state = tapState(view);
  const colours = { ...readColours(parts.probe), taps: model.get("_colours") };
  view.side = side;
  drawTapMap(surface(parts.canvas, side, side), side / state.size, state, colours);
  const width = Math.floor(Math.min(parts.right.clientWidth, 560));
  drawTapChart(surface(parts.curves, width, 230), width, 230, state, colours, view);
  parts.canvas.dataset.cell = side / state.size;
  writeTaps(view, state);
}

function writeTaps(view, { dilation, size, cell: [row, column], axis, cells, shares }) {
  const { parts, words, model } = view;
  writeSliders(parts.sliders, model);
  setText(parts.note, say(words, "map_note", { size }));
  for (const count of TAP_COUNTS) {
    setText(parts.rows[count].cells, cells[count].toLocaleString("en"));
    setText(parts.rows[count].share, say(words, "percent", { share: percentOf(shares[count]) }));
  }
  const sentence = tapSentence(words, { dilation, map_size: size, cell: [row, column] });
  setText(parts.said, sentence);
  if (!view.preview) announce(parts.live, sentence);
  const there = TAP_COUNTS.filter((count) => cells[count]);
  const listed = there
    .map((taps) => say(words, "describe_share", { taps, share: percentOf(shares[taps]) }))
    .join(", ");
  parts.canvas.setAttribute(
    "aria-label",
    say(words, "describe_map", {
      size,
      dilation,
      row,
      column,
      taps: axis[row] * axis[column],
      shares: listed,
    }),
  );
  const values = {
    last: lastRate(size),
    nine: percentOf(tapShares(size, 1).shares[9]),
    none: Math.ceil(size / 2),
    size,
    dilation,
  };
  parts.curves.setAttribute("aria-label", say(words, "describe_chart", values));
}

// ---------------------------------------------------------------- gestures

function wireTaps(view) {
  const { parts, model } = view;
  const change = (changes) => {
    view.preview = null;
    commit(model, changes);
    view.redraw();
  };
  followSliders(view, (name, value) => {
    view.preview = null;
    return numberAndCell(model, name, value);
  });
  const onMap = (cell) => cell.map((place) => clamp(place, 0, model.get("map_size") - 1));
  const cellAt = ({ x, y }) =>
    onMap([y, x].map((place) => Math.floor((place * model.get("map_size")) / view.side)));
  const look = (cell) => {
    view.preview = cell;
    view.redraw();
  };
  followPointer(parts.canvas, {
    press: () => {},
    preview: (point) => view.side && look(cellAt(point)),
    keep: (point) => view.side && change({ cell: cellAt(point) }),
    leave: () => look(null),
  });
  followKeys(parts.canvas, (step) =>
    change({ cell: onMap(model.get("cell").map((place, axis) => place + step[axis])) }),
  );
}

// On a smaller map the chosen cell moves to the last row or column.
function numberAndCell(model, name, value) {
  if (name !== "map_size") return { [name]: value };
  return { map_size: value, cell: model.get("cell").map((place) => Math.min(place, value - 1)) };
}

// Whether the address of a page may ask for this state.
function accepts({ dilation, map_size: size, cell, _largest: largest }) {
  return withinLimits(tapLimits(largest), { dilation, map_size: size }) && isPlace(cell, [size, size]);
}

export default { render, accepts };
