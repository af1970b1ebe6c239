// The ASPP explorer: the taps of every branch around one cell, at their true places on the picture.

import {
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
  write,
  follow,
  isWhole,
  isPlace,
} from "../shared/common.js";
import { cellsOf, centreOf, moved, branchNumbers, sentenceOf } from "../shared/taps.js";
import { asppLayout, drawGround, outlineFields, outlineWhole, drawBranches } from "./drawing.js";
import { RATE, SHOWN, asppPage } from "./page.js";

const ASPP_TRAITS = [
  "rates",
  "output_stride",
  "trunk_field",
  "row",
  "column",
  "chosen",
  "show_field",
  "show_whole",
];

function render({ model, el }) {
  const words = model.get("_words");
  const parts = asppPage(words, model.get("_colours"), Object.keys(model.get("_presets")));
  const view = { model, words, parts, photo: new Image(), preview: null, layout: null };
  view.redraw = oncePerFrame(() => drawAspp(view));
  wireAspp(view);
  el.append(parts.root);
  view.photo.src = model.get("_photo");
  view.photo.decode().then(view.redraw, view.redraw);
  return follow(view, parts.root, model, ASPP_TRAITS);
}

// Everything that is drawn and written follows from this.
function asppState({ model, preview }) {
  const [sides, stride, rates] = [model.get("_shape"), model.get("output_stride"), model.get("rates")];
  const map = cellsOf(sides, stride);
  const cell = onMap(preview ?? [model.get("row"), model.get("column")], map);
  const state = { sides, stride, rates, map, cell, trunk: model.get("trunk_field") };
  return {
    ...state,
    chosen: Math.min(model.get("chosen"), rates.length - 1),
    branches: branchNumbers(state),
  };
}

function onMap(cell, map) {
  return cell.map((place, axis) => clamp(place, 0, map[axis] - 1));
}

function drawAspp(view) {
  const { parts, photo } = view;
  const width = Math.min(parts.left.clientWidth, 640);
  if (!width) return;
  markTheme(parts.root);
  const state = asppState(view);
  const layout = asppLayout(width, state);
  const colours = readColours(parts.probe);
  const ctx = surface(parts.canvas, layout.width, layout.height);
  view.layout = layout;
  drawGround(ctx, layout, state, photo, colours);
  const palette = [colours.touched, ...view.model.get("_colours").slice(1)]; // the theme's blue: sky blue on dark
  if (view.model.get("show_field")) outlineFields(ctx, layout, state, palette, colours);
  if (view.model.get("show_whole")) outlineWhole(ctx, layout, state, palette, colours);
  drawBranches(ctx, layout, state, palette, colours);
  Object.assign(parts.canvas.dataset, { pixel: layout.pixel, left: layout.at(-0.5), top: layout.at(-0.5) });
  writeAspp(view, state);
}

// ---------------------------------------------------------------- words

function writeAspp(view, state) {
  const { parts, words, model } = view;
  const [height, width] = state.sides;
  const [[rows, columns], [row, column]] = [state.map, state.cell];
  setText(parts.note, say(words, "picture_note", { height, width, rows, columns, stride: state.stride }));
  for (const [name, axis] of [
    ["row", 0],
    ["column", 1],
  ]) {
    parts.cell[name].max = state.map[axis] - 1;
    write(parts.cell[name], String(state.cell[axis]));
  }
  writeBranches(parts, words, state);
  setText(parts.formula, say(words, "formula", { trunk: state.trunk, stride: state.stride }));
  const sentence = sentenceOf(words, state.chosen, state.branches[state.chosen]);
  setText(parts.said, sentence);
  const preset = presetOf(model, state);
  setText(parts.about, words[`about_${preset}`]);
  for (const name of Object.keys(model.get("_presets")))
    parts.buttons[name].ariaPressed = String(name === preset);
  for (const name of SHOWN) parts.buttons[name].ariaPressed = String(model.get(`show_${name}`));
  writeLegend(parts, words, model, state);
  const branches = state.branches
    .map(({ rate, taps }, i) => say(words, "describe_branch", { branch: i + 1, dilation: rate, taps }))
    .join("; ");
  parts.canvas.setAttribute(
    "aria-label",
    say(words, "describe", { height, width, rows, columns, row, column, branches }),
  );
  if (!view.preview) announce(parts.live, say(words, "announced", { row, column, sentence }));
}

function writeBranches(parts, words, state) {
  parts.rows.forEach(({ row, choose, slide, number, values }, i) => {
    const branch = state.branches[i];
    row.hidden = !branch;
    if (!branch) return;
    choose.ariaPressed = String(i === state.chosen);
    row.classList.toggle("dl-chosen", i === state.chosen);
    slide.value = String(branch.rate);
    write(number, String(branch.rate));
    setText(values.window, say(words, "cells", { cells: branch.window }));
    setText(values.field, say(words, "pixels", { pixels: branch.field }));
    setText(values.taps, say(words, "of_nine", { taps: branch.taps }));
    setText(values.whole, say(words, "percent", { share: (100 * branch.whole).toFixed(1) }));
  });
}

function writeLegend({ legend }, words, model, { branches, chosen, trunk, map, rates }) {
  const values = { branch: chosen + 1, tap: trunk, field: branches[chosen].field };
  const nowhere = map.some((cells) => cells <= 2 * rates[chosen]);
  legend.field.hidden = !model.get("show_field");
  legend.whole.hidden = !model.get("show_whole");
  setText(legend.field, say(words, "legend_field", values));
  setText(legend.whole, say(words, nowhere ? "legend_nowhere" : "legend_whole", values));
}

function presetOf(model, { rates, stride, trunk }) {
  const now = JSON.stringify([rates, stride, trunk]);
  const found = Object.entries(model.get("_presets")).find(
    ([, p]) => JSON.stringify([p.rates, p.output_stride, p.trunk_field]) === now,
  );
  return found ? found[0] : "own";
}

// ---------------------------------------------------------------- gestures

function wireAspp(view) {
  const { parts, model } = view;
  const change = (changes) => {
    view.preview = null;
    commit(model, changes);
    view.redraw();
  };
  for (const [name, numbers] of Object.entries(model.get("_presets"))) {
    parts.buttons[name].addEventListener("click", () => change(atSamePlace(view, numbers)));
  }
  for (const name of SHOWN) {
    parts.buttons[name].addEventListener("click", () =>
      change({ [`show_${name}`]: !model.get(`show_${name}`) }),
    );
  }
  parts.rows.forEach(({ choose, slide, number }, i) => {
    choose.addEventListener("click", () => change({ chosen: i }));
    for (const field of [slide, number]) {
      field.addEventListener(
        "input",
        () => field.value !== "" && change(withRate(model, i, Number(field.value))),
      );
      field.addEventListener("change", view.redraw);
    }
  });
  wireCell(view, ([row, column]) => change({ row, column }));
}

// A preset's numbers, with the cell moved to where it was on the picture.
function atSamePlace(view, numbers) {
  const { sides, stride, cell } = asppState({ ...view, preview: null });
  const places = cell.map((place) => moved(place, stride, numbers.output_stride));
  const [row, column] = onMap(places, cellsOf(sides, numbers.output_stride));
  return { ...numbers, row, column, chosen: numbers.rates.length - 1 };
}

function withRate(model, branch, typed) {
  const rate = clamp(Math.round(typed), RATE.min, RATE.max);
  return { rates: model.get("rates").map((old, i) => (i === branch ? rate : old)), chosen: branch };
}

function wireCell(view, keep) {
  const { parts, model } = view;
  const cellAt = ({ x, y }) => {
    const { sides, stride, map } = asppState(view);
    const { at, pixel } = view.layout;
    const pixels = [y, x].map((place) => (place - at(0)) / pixel);
    return onMap(
      pixels.map((position, axis) => Math.round((position - centreOf(sides[axis], stride, 0)) / stride)),
      map,
    );
  };
  const look = (cell) => {
    view.preview = cell;
    view.redraw();
  };
  followPointer(parts.canvas, {
    press: () => {},
    preview: (point) => view.layout && look(cellAt(point)),
    keep: (point) => view.layout && keep(cellAt(point)),
    leave: () => look(null),
  });
  const committed = () => [model.get("row"), model.get("column")];
  followKeys(parts.canvas, (step) => {
    const { map } = asppState(view);
    keep(
      onMap(
        committed().map((place, axis) => place + step[axis]),
        map,
      ),
    );
  });
  ["row", "column"].forEach((name, axis) => {
    parts.cell[name].addEventListener("input", () => {
      const typed = parts.cell[name].value;
      if (typed === "" || !Number.isFinite(Number(typed))) return;
      keep(
        onMap(
          committed().map((place, i) => (i === axis ? Math.round(Number(typed)) : place)),
          asppState(view).map,
        ),
      );
    });
    parts.cell[name].addEventListener("change", view.redraw);
  });
}

// Whether the address of a page may ask for this state.
function accepts({ rates, output_stride: stride, trunk_field: trunk, row, column, chosen, _shape: sides }) {
  const numbers =
    isWhole(rates.length, 1, 4) &&
    rates.every((rate) => isWhole(rate, RATE.min, RATE.max)) &&
    isWhole(stride, 1, Math.min(...sides)) &&
    isWhole(trunk, 1, 1e5);
  return numbers && isWhole(chosen, 0, rates.length - 1) && isPlace([row, column], cellsOf(sides, stride));
}

export default { render, accepts };
