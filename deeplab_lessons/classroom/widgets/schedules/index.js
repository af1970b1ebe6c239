// Two learning rates as they fall, poly and step, with the area below each.

import {
  make,
  say,
  oncePerFrame,
  surface,
  readColours,
  markTheme,
  setText,
  follow,
  announce,
} from "../shared/common.js";
import { drawAxes, drawCurve } from "../shared/axes.js";
import { fixed, short } from "../shared/numbers.js";
import { widgetRoot, canvasOf, titleOf } from "../shared/parts.js";
import { sliderBox, writeSliders, followSliders, withinLimits } from "../shared/sliders.js";

const FALLING_HEIGHT = 260; // of the picture
const FALLING_COLOURS = { poly: "touched", step: "unit" };

function render({ model, el }) {
  const words = model.get("_words");
  const limits = model.get("_limits");
  const view = { model, words, parts: schedulesPage(words, limits) };
  view.redraw = oncePerFrame(() => drawSchedules(view));
  followSliders(view);
  el.append(view.parts.root);
  return follow(view, view.parts.root, model, Object.keys(limits));
}

function schedulesPage(words, limits) {
  const { box, sliders } = sliderBox(words, limits);
  const canvas = canvasOf("falling");
  const legend = {};
  const list = make("ul", { class: "dl-legend" });
  for (const name of Object.keys(FALLING_COLOURS)) {
    legend[name] = make("span");
    const key = make("i", { class: `dl-key dl-key-${name}`, "aria-hidden": "true" });
    list.append(make("li", {}, key, legend[name]));
  }
  const said = make("p", { class: "dl-status" });
  const room = make("div", {}, titleOf(words.y), list, canvas);
  return { ...widgetRoot(words, "schedules", box, room, said), sliders, room, canvas, legend, said };
}

// ---------------------------------------------------------------- numbers

function poly(iteration, { iterations, power }) {
  return (1 - iteration / iterations) ** power;
}

function step(iteration, { iterations, parts, factor }) {
  return factor ** Math.floor((parts * iteration) / iterations);
}

// Sum of all learning rates, in % of what a constant one would give.
function areaOf(schedule, state) {
  let sum = 0;
  for (let i = 0; i < state.iterations; i++) sum += schedule(i, state);
  return (100 * sum) / state.iterations;
}

function schedulesSentence(words, state, areas) {
  const { iterations, rates, power, parts, factor } = state;
  return say(words, parts === 1 ? "one_part" : "caption", {
    iterations: iterations.toLocaleString("en"),
    lr: rates.at(-1),
    power: short(power),
    parts,
    factor: short(factor),
    half: fixed(poly(Math.floor(iterations / 2), state), 2),
    poly: fixed(areas.poly, 1),
    step: fixed(areas.step, 1),
  });
}

// ---------------------------------------------------------------- picture

// [iteration, share] along poly, close together, and at both ends of each of step's parts.
function polyCurve(state, points) {
  const last = state.iterations - 1;
  const places = Array.from({ length: points + 1 }, (_, i) => Math.round((i / points) * last));
  return [...places, state.iterations].map((i) => [i, poly(Math.min(i, last), state)]);
}

function stepCurve({ iterations, parts, factor }) {
  const ends = Array.from({ length: parts + 1 }, (_, part) => Math.ceil((part * iterations) / parts));
  return ends.slice(1).flatMap((end, part) => [ends[part], end].map((i) => [i, factor ** part]));
}

function drawSchedules(view) {
  const { model, words, parts } = view;
  const width = Math.floor(Math.min(parts.room.clientWidth, 760));
  if (!width) return;
  markTheme(parts.root);
  const state = { ...model.get("_training") };
  for (const name of ["power", "parts", "factor"]) state[name] = model.get(name);
  const areas = { poly: areaOf(poly, state), step: areaOf(step, state) };
  writeSliders(parts.sliders, model);
  for (const [name, node] of Object.entries(parts.legend))
    setText(node, say(words, name, { area: fixed(areas[name], 1) }));
  drawFalling(surface(parts.canvas, width, FALLING_HEIGHT), width, state, readColours(parts.probe), words);
  const sentence = schedulesSentence(words, state, areas);
  parts.canvas.setAttribute("aria-label", sentence);
  setText(parts.said, sentence);
  announce(parts.live, sentence);
}

function drawFalling(ctx, width, state, colours, words) {
  ctx.font = `12px ${colours.font}`;
  const widest = Math.max(...state.rates.map((rate) => ctx.measureText(rate).width));
  const [left, right, top, bottom] = [widest + 10, width - 30, 12, FALLING_HEIGHT - 42];
  const x = (iteration) => left + (iteration / state.iterations) * (right - left);
  const y = (share) => bottom - share * (bottom - top);
  const shares = [0, 0.5, 1];
  const up = shares.map((share, i) => [y(share), state.rates[i]]);
  const iterations = shares.map((share) => Math.round(share * state.iterations));
  const across = iterations.map((iteration) => [x(iteration), iteration.toLocaleString("en")]);
  drawAxes(ctx, { left, right, bottom, height: FALLING_HEIGHT }, { up, across, name: words.x }, colours);
  const curves = { poly: polyCurve(state, Math.ceil(width / 2)), step: stepCurve(state) };
  for (const [name, curve] of Object.entries(curves)) {
    const points = curve.map(([iteration, share]) => [x(iteration), y(share)]);
    const colour = colours[FALLING_COLOURS[name]];
    ctx.fillStyle = colour;
    ctx.globalAlpha = 0.18;
    ctx.beginPath();
    for (const point of [[left, bottom], ...points, [right, bottom]]) ctx.lineTo(...point);
    ctx.fill();
    ctx.globalAlpha = 1;
    drawCurve(ctx, points, colour, name === "step" ? [7, 4] : []);
  }
}

// Whether the address of a page may ask for this state.
function accepts({ _limits: limits, ...state }) {
  return withinLimits(limits, state);
}

export default { render, accepts };
