// An image taken apart into its phases, convolved phase by phase and woven together, as squares that move.

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
import { widgetRoot, canvasOf } from "../shared/parts.js";
import { sliderBox, writeSliders, followSliders, withinLimits } from "../shared/sliders.js";

const STEP_WORDS = ["said_1", "said_2", "said_3", "said_4"];
const PHASE_GAP = 3; // cells between two phases
const PHASE_PACE = 900; // milliseconds from one step to the next, in nine drawings at least

function phaseLimits({ dilation, step }) {
  return { dilation: { min: 1, max: dilation, step: 1 }, step: { min: 1, max: step, step: 1 } };
}

function render({ model, el }) {
  const words = model.get("_words");
  const parts = phasesPage(words, model.get("_most"));
  const pixels = Uint8Array.from(atob(model.get("_pixels")), (letter) => letter.charCodeAt(0));
  const view = { model, words, parts, pixels, preview: null, at: model.get("step"), scale: 0 };
  view.redraw = oncePerFrame(() => drawPhases(view));
  wirePhases(view);
  el.append(parts.root);
  return follow(view, parts.root, model, ["dilation", "step", "unit"]);
}

function phasesPage(words, most) {
  const { box, sliders } = sliderBox(words, phaseLimits(most));
  const title = make("strong");
  const said = make("p", { class: "dl-said" }, title, " ", make("span"));
  const canvas = canvasOf("phase-cells", true);
  const hint = make("p", { class: "dl-notes" }, words.hint);
  return { ...widgetRoot(words, "phases", box, said, canvas, hint), sliders, title, said, canvas };
}

// ---------------------------------------------------------------- numbers

function outputsOf(size, dilation) {
  return size - 2 * dilation;
}

// The kernel on `image` [side × side], its taps `dilation` apart: [n × n] with n = side - 2 dilation.
function convolved(image, side, kernel, dilation) {
  const n = side - 2 * dilation;
  return Int32Array.from({ length: n * n }, (_, i) => {
    const [row, column] = [Math.floor(i / n), i % n];
    let sum = 0;
    for (let r = 0; r < 3; r++)
      for (let c = 0; c < 3; c++)
        sum += kernel[r][c] * image[(row + r * dilation) * side + column + c * dilation];
    return sum;
  });
}

// The same by phases: subsample, convolve undilated, interleave.
function convolvedByPhases(image, size, kernel, dilation) {
  const [n, side] = [outputsOf(size, dilation), size / dilation];
  const woven = new Int32Array(n * n);
  for (let r = 0; r < dilation; r++) {
    for (let c = 0; c < dilation; c++) {
      const phase = Int32Array.from(
        { length: side * side },
        (_, i) => image[(r + dilation * Math.floor(i / side)) * size + c + dilation * (i % side)],
      );
      convolved(phase, side, kernel, 1).forEach((value, i) => {
        const row = r + dilation * Math.floor(i / (side - 2));
        woven[row * n + c + dilation * (i % (side - 2))] = value;
      });
    }
  }
  return woven;
}

// What is drawn for a dilation: both results, computed once.
function resultsOf(view, dilation) {
  if (view.results?.dilation !== dilation) {
    const [size, kernel] = [view.model.get("_size"), view.model.get("_kernel")];
    const green = Int32Array.from({ length: size * size }, (_, i) => view.pixels[3 * i + 1]);
    const answers = convolvedByPhases(green, size, kernel, dilation);
    const dilated = convolved(green, size, kernel, dilation);
    view.results = {
      dilation,
      answers,
      different: answers.filter((value, i) => value !== dilated[i]).length,
    };
  }
  return view.results;
}

// Where a pixel's row (or column) is, in cells: `parted` is 0 in the image and 1 in its phase, both in the middle.
function placeOf(pixel, { size, most, dilation, parted }) {
  const phase = pixel % dilation;
  const apart = phase * (size / dilation + PHASE_GAP) + Math.floor(pixel / dilation);
  const together = pixel + ((dilation - 1) * PHASE_GAP) / 2;
  return ((most - dilation) * PHASE_GAP) / 2 + (1 - parted) * together + parted * apart;
}

// The pixel in whose square a place is.
function pixelAt(place, layout) {
  let nearest = 0;
  for (let pixel = 1; pixel < layout.size; pixel++) {
    const distance = (at) => Math.abs(placeOf(at, layout) + 0.5 - place);
    if (distance(pixel) < distance(nearest)) nearest = pixel;
  }
  return nearest;
}

function layoutOf({ model, at }) {
  const parted = at <= 2 ? at - 1 : at >= 3 ? 4 - at : 1;
  const smooth = parted * parted * (3 - 2 * parted);
  const most = model.get("_most").dilation;
  return { size: model.get("_size"), most, dilation: model.get("dilation"), parted: smooth };
}

function unitOf({ model, preview }) {
  const last = outputsOf(model.get("_size"), model.get("dilation")) - 1;
  return (preview ?? model.get("unit")).map((place) => clamp(place, 0, last));
}

// ---------------------------------------------------------------- drawing

// One step nearer to where the model is; at once where the reader wants nothing to move.
function advance(view, now) {
  const target = view.model.get("step");
  if (view.at === target || window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
    view.at = target;
  } else {
    const way = Math.min(now - (view.before ?? now), PHASE_PACE / 9) / PHASE_PACE;
    view.at += clamp(target - view.at, -way, way);
  }
  view.before = view.at === target ? null : now;
  if (view.at !== target) view.redraw();
}

function drawPhases(view) {
  const { parts } = view;
  const width = Math.floor(Math.min(parts.said.clientWidth, 560));
  if (!width) return;
  markTheme(parts.root);
  advance(view, performance.now());
  const layout = layoutOf(view);
  const cells = layout.size + (layout.most - 1) * PHASE_GAP;
  view.scale = Math.floor(width / cells);
  const ctx = surface(parts.canvas, view.scale * cells, view.scale * cells);
  const { answers, different } = resultsOf(view, layout.dilation);
  const fade = clamp(view.at - 2, 0, 1);
  const places = Array.from({ length: layout.size }, (_, pixel) => view.scale * placeOf(pixel, layout));
  const square = (row, column, colour) => {
    ctx.fillStyle = colour;
    ctx.fillRect(places[column], places[row], view.scale, view.scale);
  };
  if (fade < 1) drawPixels(view, layout, square);
  ctx.globalAlpha = fade;
  if (fade > 0) drawAnswers(answers, layout, square);
  ctx.globalAlpha = 1;
  markUnit(ctx, view, layout, places, fade);
  writePhases(view, different);
}

function drawPixels({ pixels }, { size }, square) {
  for (let i = 0; i < size * size; i++) {
    const [red, green, blue] = pixels.subarray(3 * i, 3 * i + 3);
    square(Math.floor(i / size), i % size, `rgb(${red} ${green} ${blue})`);
  }
}

// An answer is drawn where its middle tap was; the pixels at the border have none.
function drawAnswers(answers, { size, dilation }, square) {
  const n = outputsOf(size, dilation);
  for (let i = 0; i < size * size; i++) {
    const [row, column] = [Math.floor(i / size) - dilation, (i % size) - dilation];
    const inside = Math.min(row, column) >= 0 && Math.max(row, column) < n;
    const grey = inside ? Math.round(clamp(128 + answers[row * n + column] / 4, 0, 255)) : 128;
    square(
      row + dilation,
      column + dilation,
      inside ? `rgb(${grey} ${grey} ${grey})` : "rgb(128 128 128 / 0.25)",
    );
  }
}

function markUnit(ctx, view, { dilation }, places, fade) {
  const colours = readColours(view.parts.probe);
  const [row, column] = unitOf(view);
  const taps = fade < 1 ? [0, 1, 2] : [1];
  for (const r of taps) {
    for (const c of taps) {
      const [x, y] = [places[column + c * dilation], places[row + r * dilation]];
      for (const [colour, line] of [
        ["rgb(255 255 255 / 0.9)", 4],
        [colours.unit, 2.5],
      ]) {
        ctx.strokeStyle = colour;
        ctx.lineWidth = line;
        ctx.strokeRect(x, y, view.scale, view.scale);
      }
    }
  }
}

function writePhases(view, different) {
  const { parts, words, model } = view;
  const [dilation, step, size] = ["dilation", "step", "_size"].map((name) => model.get(name));
  writeSliders(parts.sliders, model);
  const [row, column] = unitOf(view);
  const values = { size, dilation, count: dilation ** 2, outputs: outputsOf(size, dilation), different };
  const [title, said] = [words[`step_${step}`], say(words, STEP_WORDS[step - 1], values)];
  setText(parts.title, title);
  setText(parts.said.lastChild, said);
  const described = say(words, "describe", { title, said, row, column });
  parts.canvas.setAttribute("aria-label", described);
  if (!view.preview) announce(parts.live, say(words, "announced", { title, said, row, column }));
}

// ---------------------------------------------------------------- gestures

function wirePhases(view) {
  const { parts, model } = view;
  const change = (changes) => {
    view.preview = null;
    commit(model, changes);
    view.redraw();
  };
  followSliders(view, (name, value) => {
    view.preview = null;
    return numberAndUnit(model, name, value);
  });
  const onResult = (unit) => {
    const last = outputsOf(model.get("_size"), model.get("dilation")) - 1;
    return unit.map((place) => clamp(place, 0, last));
  };
  const unitAt = ({ x, y }) => {
    const layout = layoutOf(view);
    return onResult([y, x].map((place) => pixelAt(place / view.scale, layout) - layout.dilation));
  };
  const look = (unit) => {
    view.preview = unit;
    view.redraw();
  };
  followPointer(parts.canvas, {
    press: () => {},
    preview: (point) => view.scale && look(unitAt(point)),
    keep: (point) => view.scale && change({ unit: unitAt(point) }),
    leave: () => look(null),
  });
  followKeys(parts.canvas, (step) =>
    change({ unit: onResult(model.get("unit").map((place, axis) => place + step[axis])) }),
  );
}

// In the smaller result of a larger dilation the unit moves to the last row or column.
function numberAndUnit(model, name, value) {
  if (name !== "dilation") return { [name]: value };
  const last = outputsOf(model.get("_size"), value) - 1;
  return { dilation: value, unit: model.get("unit").map((place) => Math.min(place, last)) };
}

// Whether the address of a page may ask for this state.
function accepts({ dilation, step, unit, _most: most, _size: size }) {
  const outputs = outputsOf(size, dilation);
  return withinLimits(phaseLimits(most), { dilation, step }) && isPlace(unit, [outputs, outputs]);
}

export default { render, accepts };
