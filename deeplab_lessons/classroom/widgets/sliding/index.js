// One kernel sliding over one row of cells: four numbers, the taps, and the two formulas filled in.

import { LEAST, Impossible, covers, checkLayer, outputSize } from "../shared/arithmetic.js";
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
  refuse,
  write,
  follow,
  isWhole,
} from "../shared/common.js";
import { dimension, drawCell } from "../shared/drawing.js";
import { explain } from "../shared/explain.js";
import { widgetRoot, canvasOf } from "../shared/parts.js";
import { sliderAndField } from "../shared/sliders.js";

const LARGEST_ROW = 64; // cells, as in Python
const SLIDERS = { input_size: 32, kernel_size: 9, stride: 6, padding: 8, dilation: 6 };

function render({ model, el }) {
  const words = model.get("_words");
  const parts = slidingPage(words);
  const view = { model, words, parts, draft: null, preview: null };
  view.redraw = oncePerFrame(() => drawSliding(view));
  for (const [name, fields] of Object.entries(parts.sliders)) {
    for (const field of fields) {
      field.addEventListener("input", () => field.value !== "" && tryNumber(view, name, Number(field.value)));
    }
  }
  wireStrip(view);
  el.append(parts.root);
  return follow(view, parts.root, model, [...Object.keys(SLIDERS), "position"]);
}

function slidingPage(words) {
  const sliders = {};
  const box = make("div", { class: "dl-sliders" });
  for (const [name, max] of Object.entries({ ...SLIDERS, position: 0 })) {
    const min = LEAST[name] ?? 0;
    const label = words[name];
    sliders[name] = sliderAndField(words, name, label, { min, max, step: 1 }, { min, step: 1 });
    box.append(
      make(
        "div",
        { class: "dl-slider" },
        make("span", {}, label, " ", make("i", {}, words[`symbol_${name}`])),
        ...sliders[name],
      ),
    );
  }
  const status = make("p", { class: "dl-status", role: "alert" });
  const strip = canvasOf("strip", true);
  const stripBox = make("div", { class: "dl-strip-box" }, strip);
  const effective = make("span", { class: "dl-effective" });
  const size = make("span", { class: "dl-output-size" });
  const formulas = make("div", { class: "dl-formulas" });
  formulas.append(
    make("span", { class: "dl-formula-name" }, words.effective),
    effective,
    make("span", { class: "dl-formula-name" }, words.output_size),
    size,
  );
  const leftOver = make("p", { class: "dl-rest" });
  const notes = make("div", { class: "dl-notes" }, slidingLegend(words), make("p", {}, words.hint));
  const root = widgetRoot(words, "sliding", box, status, stripBox, formulas, leftOver, notes);
  return { ...root, sliders, status, strip, stripBox, effective, size, leftOver };
}

function slidingLegend(words) {
  const items = { now: words.legend_now, tap: words.tap, gap: words.hole, padding: words.legend_padding };
  const list = Object.entries(items).map(([kind, text]) =>
    make("li", {}, make("i", { class: `dl-key dl-key-${kind}`, "aria-hidden": "true" }), text),
  );
  return make("ul", { class: "dl-legend" }, ...list);
}

function numbersOf(model) {
  return Object.fromEntries(Object.keys(SLIDERS).map((name) => [name, model.get(name)]));
}

// Try one changed number: send it if the kernel still fits, else keep it here and say why it does not.
function tryNumber(view, name, value) {
  const { model, words } = view;
  view.redraw();
  if (name === "position") return keepPosition(view, value);
  const wanted = { ...numbersOf(model), ...view.draft?.wanted, [name]: value };
  try {
    if (wanted.input_size > LARGEST_ROW) throw new Impossible("too_large", { most: LARGEST_ROW });
    const out = outputSize(wanted.input_size, checkLayer({ name: "", ...wanted }));
    view.draft = null;
    commit(model, { ...wanted, position: clamp(model.get("position"), 0, out - 1) });
  } catch (error) {
    view.draft = { wanted, text: explain(words, error) };
  }
}

function keepPosition(view, position) {
  const layer = numbersOf(view.model);
  view.preview = null;
  commit(view.model, { position: clamp(Math.trunc(position), 0, outputSize(layer.input_size, layer) - 1) });
}

function drawSliding(view) {
  const { model, parts, words } = view;
  const width = parts.stripBox.clientWidth;
  if (!width) return;
  markTheme(parts.root);
  const layer = { name: "", ...numbersOf(model) };
  const out = outputSize(layer.input_size, layer);
  const position = clamp(view.preview ?? model.get("position"), 0, out - 1);
  const scene = { layer, out, position, words };
  view.layout = stripLayout(width, scene);
  const colours = readColours(parts.probe);
  drawStrip(surface(parts.strip, width, view.layout.height), view.layout, scene, colours);
  writeFormulas(view, scene);
  describeStrip(view, scene);
  updateSliders(view, scene);
}

function stripLayout(width, { layer, out }) {
  const gutter = 60;
  const cells = layer.input_size + 2 * layer.padding;
  const pitch = Math.min(40, (width - gutter - 8) / cells);
  const left = gutter + (width - gutter - 8 - pitch * cells) / 2;
  const tall = Math.min(pitch - 2, 34);
  const centre = (cell) => left + (cell + layer.padding + 0.5) * pitch;
  const middle = (covers(layer) - 1) / 2 - layer.padding;
  const output = (unit) => centre(unit * layer.stride + middle);
  return { pitch, tall, centre, output, out, input: 100, top: 12, height: 100 + tall + 74 };
}

function drawStrip(ctx, layout, scene, colours) {
  const { layer, out, position, words } = scene;
  const taps = tapsAt(layer, position);
  ctx.font = `12px ${colours.font}`;
  ctx.fillStyle = colours.ink;
  ctx.textBaseline = "middle";
  ctx.fillText(words.output_row, 0, layout.top + layout.tall / 2);
  ctx.fillText(words.input_row, 0, layout.input + layout.tall / 2);
  drawTapLines(ctx, layout, taps, position, colours);
  for (let unit = 0; unit < out; unit++) {
    const look = { real: true, share: unit === position ? 1 : 0, last: true };
    stripCell(ctx, layout, layout.output(unit), layout.top, look, unit, colours);
  }
  for (let cell = -layer.padding; cell < layer.input_size + layer.padding; cell++) {
    const look = {
      real: cell >= 0 && cell < layer.input_size,
      share: taps.includes(cell) ? 1 : 0,
      last: false,
    };
    const hole = !look.share && cell > taps[0] && cell < taps.at(-1);
    stripCell(ctx, layout, layout.centre(cell), layout.input, look, look.real ? cell : "", colours);
    if (hole) markHole(ctx, layout, cell, colours);
  }
  drawMeasures(ctx, layout, scene, taps, colours);
}

function tapsAt(layer, position) {
  const first = position * layer.stride - layer.padding;
  return Array.from({ length: layer.kernel_size }, (_, tap) => first + tap * layer.dilation);
}

function stripCell(ctx, { pitch, tall }, centre, y, look, label, colours) {
  const wide = pitch - 2;
  drawCell(ctx, [centre - wide / 2, y, wide, tall], look, colours);
  if (pitch < 15) return;
  ctx.font = `${Math.min(12, pitch * 0.45)}px ${colours.font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillStyle = look.share && look.real ? colours.onTouched : colours.faint;
  ctx.fillText(String(label), centre, y + tall / 2 + 0.5);
  ctx.textAlign = "left";
}

function markHole(ctx, { centre, input, tall, pitch }, cell, colours) {
  ctx.strokeStyle = colours.touched;
  ctx.lineWidth = 1.5;
  ctx.setLineDash([3, 3]);
  ctx.strokeRect(centre(cell) - pitch / 2 + 2, input + 1, pitch - 4, tall - 2);
  ctx.setLineDash([]);
}

function drawTapLines(ctx, { output, centre, top, tall, input }, taps, position, colours) {
  ctx.strokeStyle = colours.touched;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  for (const tap of taps) {
    ctx.moveTo(output(position), top + tall);
    ctx.lineTo(centre(tap), input);
  }
  ctx.stroke();
}

// Under the row: how many cells the kernel covers, and how far its next step goes.
function drawMeasures(ctx, layout, { layer, out, position, words }, taps, colours) {
  const { centre, pitch, input, tall } = layout;
  const y = input + tall + 14;
  const [left, right] = [centre(taps[0]) - pitch / 2, centre(taps.at(-1)) + pitch / 2];
  dimension(
    ctx,
    left,
    right,
    y,
    say(words, "covers", { covers: covers(layer) }),
    colours.touched,
    colours.font,
  );
  if (position + 1 >= out) return;
  const [from, to] = [centre(taps[0]), centre(taps[0] + layer.stride)];
  ctx.strokeStyle = ctx.fillStyle = colours.unit;
  ctx.beginPath();
  ctx.moveTo(from, y + 34);
  ctx.lineTo(to, y + 34);
  ctx.moveTo(to - 5, y + 30);
  ctx.lineTo(to, y + 34);
  ctx.lineTo(to - 5, y + 38);
  ctx.stroke();
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillText(say(words, "step", { stride: layer.stride }), to + 7, y + 34);
}

function writeFormulas({ parts }, { layer, out }) {
  const { kernel_size: k, stride: s, padding: p, dilation: d, input_size: n } = layer;
  const wide = covers(layer);
  const result = (number) => make("b", {}, String(number));
  parts.effective.replaceChildren(`k′ = k + (k − 1)(d − 1) = ${k} + ${k - 1}·${d - 1} = `, result(wide));
  const sum = `⌊(n + 2p − k′) / s⌋ + 1 = ⌊(${n} + ${2 * p} − ${wide}) / ${s}⌋ + 1 = `;
  parts.size.replaceChildren(sum, result(out));
}

function describeStrip({ parts, words, preview }, { layer, out, position }) {
  const taps = tapsAt(layer, position).map((cell) =>
    cell >= 0 && cell < layer.input_size ? cell : words.tap_padding,
  );
  const values = { ...layer, covers: covers(layer), out, position, taps: taps.join(", ") };
  parts.strip.setAttribute("aria-label", say(words, "describe", values));
  const left = (layer.input_size + 2 * layer.padding - covers(layer)) % layer.stride;
  const cells = say(words, left === 1 ? "one_cell" : "many_cells", { count: left });
  const rest = left ? say(words, "left_over", { cells, stride: layer.stride }) : words.fits;
  setText(parts.leftOver, rest);
  if (preview === null) announce(parts.live, `${say(words, "announced", values)} ${rest}`);
}

function updateSliders({ parts, words, draft }, { layer, out, position }) {
  const values = { ...layer, ...draft?.wanted, position };
  parts.sliders.position[0].max = parts.sliders.position[1].max = out - 1;
  for (const [name, [slide, number]] of Object.entries(parts.sliders)) {
    if (name !== "position") slide.max = Math.max(SLIDERS[name], values[name]);
    slide.value = String(values[name]);
    write(number, String(values[name]));
  }
  const text = draft ? `${draft.text} ${words.kept}` : "";
  refuse(parts, text);
}

function wireStrip(view) {
  const { strip } = view.parts;
  let pressed = false;
  const positionAt = ({ x }) => {
    const step = view.layout.pitch * view.model.get("stride");
    const at = Math.round((x - view.layout.output(0)) / step);
    return clamp(at, 0, view.layout.out - 1);
  };
  followPointer(strip, {
    press: () => (pressed = true),
    preview: (point) => {
      if (!pressed || !view.layout) return;
      view.preview = positionAt(point);
      view.redraw();
    },
    keep: (point) => {
      if (pressed) keepPosition(view, positionAt(point));
      pressed = false;
    },
    leave: () => {
      [pressed, view.preview] = [false, null];
      view.redraw();
    },
  });
  followKeys(strip, ([rows, columns]) => keepPosition(view, view.model.get("position") + columns - rows));
}

// Whether the address of a page may ask for this state.
function accepts({ position, ...layer }) {
  const drawable = layer.input_size <= LARGEST_ROW && layer.padding <= LARGEST_ROW;
  const out = outputSize(layer.input_size, checkLayer({ name: "", ...layer }));
  return drawable && isWhole(position, 0, out - 1);
}

export default { render, accepts };
