// One pixel on its way into the permutohedral lattice of two features, step by step, and the triangle it falls into.

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
  follow,
  announce,
} from "../shared/common.js";
import { fixed } from "../shared/numbers.js";
import { widgetRoot, canvasOf } from "../shared/parts.js";
import { sliderBox, writeSliders, followSliders, withinLimits } from "../shared/sliders.js";
import { flat, locate, net } from "./simplex.js";

const STEP_NAMES = ["features", "embed", "round", "rank", "weigh", "key", "look up"];
const [RANK, WEIGH, KEY, LOOK_UP] = [3, 4, 5, 6]; // where the picture changes
const PLANE = [6.1, 3.8]; // width and height of the picture, in σ

function render({ model, el }) {
  const words = model.get("_words");
  const limits = model.get("_limits");
  const others = model.get("_others");
  const view = { model, words, limits, others, parts: latticePage(words, limits), preview: null };
  view.stored = others.flatMap((other) => locate(other).corners);
  view.redraw = oncePerFrame(() => drawLattice(view));
  wireLattice(view);
  el.append(view.parts.root);
  return follow(view, view.parts.root, model, Object.keys(limits));
}

function latticePage(words, limits) {
  const { box, sliders } = sliderBox(words, limits);
  const canvas = canvasOf("plane", true);
  const room = make("div", {}, canvas);
  const steps = STEP_NAMES.map(() => make("li"));
  const list = make("ol", { class: "dl-steps-done", start: 0 }, ...steps);
  const hint = make("div", { class: "dl-notes" }, words.hint);
  return { ...widgetRoot(words, "lattice", box, room, list, hint), sliders, canvas, room, steps };
}

// ---------------------------------------------------------------- words

function rowOf(values) {
  const digits = values.every(Number.isInteger) ? 0 : 2;
  return `(${values.map((value) => fixed(value + 0, digits)).join(", ")})`;
}

function isStored(stored, corner) {
  return stored.some((vertex) => vertex.every((value, i) => value === corner[i]));
}

// What happens in each step, in words and numbers.
function latticeLines(words, [x, y], found, stored) {
  const sum = found.rounded[0] + found.rounded[1] + found.rounded[2];
  const keys = found.corners.map(([a, b]) => `(${a}, ${b})`);
  const known = keys.map((key, i) =>
    say(words, isStored(stored, found.corners[i]) ? "there" : "new", { key }),
  );
  const rows = ["elevated", "rounded", "rest", "rank", "origin", "offset", "weights"];
  const values = {
    ...Object.fromEntries(rows.map((name) => [name, rowOf(found[name])])),
    x: fixed(x, 1),
    y: fixed(y, 1),
    sum: sum + 0,
    where: sum ? words.beside : words.in,
    turn: sum > 0 ? words.down : sum < 0 ? words.up : "",
    sorted: rowOf([...found.offset].sort((a, b) => b - a).map((value) => value / 3)),
    keys: keys.join(", "),
    found: known.join("; "),
  };
  return STEP_NAMES.map((name) => say(words, name, values));
}

// ---------------------------------------------------------------- picture

function drawLattice(view) {
  const { model, words, parts, stored } = view;
  const width = Math.floor(Math.min(parts.room.clientWidth, 640));
  if (!width) return;
  markTheme(parts.root);
  const step = model.get("step");
  const point = view.preview ?? [model.get("x"), model.get("y")];
  const found = locate(point);
  writeSliders(parts.sliders, model);
  const lines = latticeLines(words, point, found, stored);
  parts.steps.forEach((item, i) => {
    item.hidden = i > step;
    item.classList.toggle("dl-now", i === step);
    setText(item, say(words, "done", { name: STEP_NAMES[i], line: lines[i] }));
  });
  const caption = say(words, "caption", { step, name: STEP_NAMES[step], line: lines[step] });
  parts.canvas.setAttribute("aria-label", say(words, "describe", { drawn: words.drawn, caption }));
  if (!view.preview) announce(parts.live, caption);
  view.unit = width / PLANE[0];
  const height = Math.round(PLANE[1] * view.unit);
  view.at = ([x, y]) => [width / 2 + view.unit * x, height / 2 - view.unit * y];
  view.from = ({ x, y }) => [(x - width / 2) / view.unit, (height / 2 - y) / view.unit];
  drawPlane(surface(parts.canvas, width, height), view, point, step, found);
}

function drawPlane(ctx, { at, others, stored, parts }, point, step, found) {
  const colours = readColours(parts.probe);
  const corners = found.corners.map((corner) => at(flat(corner)));
  lineThrough(
    ctx,
    net(6).map((edge) => edge.map(at)),
    colours.line,
    1,
  );
  if (step >= RANK) fillTriangle(ctx, corners, colours.unit);
  for (const vertex of stored) disc(ctx, at(flat(vertex)), 6, colours.touched, colours.paper);
  for (const other of others) disc(ctx, at(other), 5, colours.faint, colours.paper);
  if (step === RANK) disc(ctx, corners[0], 9, "transparent", colours.unit);
  if (step >= WEIGH) {
    found.weights.forEach((weight, i) => {
      lineThrough(ctx, [[at(point), corners[i]]], colours.unit, 1 + 6 * weight);
    });
    corners.forEach((corner, i) => {
      const empty = step >= LOOK_UP && !isStored(stored, found.corners[i]);
      disc(ctx, corner, 9, empty ? colours.paper : colours.touched, colours.touched);
      const [a, b] = found.corners[i];
      const key = step >= KEY ? ` (${a}, ${b})` : "";
      nameCorner(ctx, corner, corners, fixed(found.weights[i], 2) + key, colours);
    });
  }
  disc(ctx, at(point), 8, colours.unit, colours.paper);
}

function lineThrough(ctx, lines, colour, width) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.beginPath();
  for (const [start, end] of lines) {
    ctx.moveTo(...start);
    ctx.lineTo(...end);
  }
  ctx.stroke();
}

function fillTriangle(ctx, corners, colour) {
  ctx.fillStyle = colour;
  ctx.globalAlpha = 0.2;
  ctx.beginPath();
  for (const corner of corners) ctx.lineTo(...corner);
  ctx.fill();
  ctx.globalAlpha = 1;
}

function disc(ctx, [x, y], radius, fill, edge) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fillStyle = fill;
  ctx.fill();
  ctx.strokeStyle = edge;
  ctx.lineWidth = 2;
  ctx.stroke();
}

// The text goes to the side of its corner that is away from the triangle's middle.
function nameCorner(ctx, [x, y], corners, text, { ink, paper, font }) {
  const [across, down] = [0, 1].map((axis) => {
    const middle = corners.reduce((sum, corner) => sum + corner[axis], 0) / 3;
    return [x, y][axis] - middle;
  });
  const above = Math.abs(across) < Math.abs(down) / 2;
  ctx.font = `600 14px ${font}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = above ? "center" : across > 0 ? "left" : "right";
  const place = above ? [x, y + (down > 0 ? 21 : -19)] : [x + (across > 0 ? 14 : -14), y];
  ctx.lineWidth = 4;
  ctx.strokeStyle = paper;
  ctx.fillStyle = ink;
  ctx.strokeText(text, ...place);
  ctx.fillText(text, ...place);
}

// ---------------------------------------------------------------- gestures

function wireLattice(view) {
  const { parts, model, limits } = view;
  followSliders(view);
  const look = (point) => {
    view.preview = point;
    view.redraw();
  };
  // Within the limits and on a slider's step, as a number with one decimal.
  const onPlane = (point) =>
    ["x", "y"].map((name, i) => Math.round(10 * clamp(point[i], limits[name].min, limits[name].max)) / 10);
  const choose = (point) => {
    const [x, y] = onPlane(point);
    commit(model, { x, y });
    look(null);
  };
  followPointer(parts.canvas, {
    press: () => {},
    preview: (point) => view.from && look(onPlane(view.from(point))),
    keep: (point) => view.from && choose(view.from(point)),
    leave: () => look(null),
  });
  followKeys(parts.canvas, ([down, along]) =>
    choose([model.get("x") + along / 10, model.get("y") - down / 10]),
  );
}

// Whether the address of a page may ask for this state.
function accepts({ _limits: limits, ...state }) {
  return withinLimits(limits, state);
}

export default { render, accepts };
