// A dense and a separable convolution side by side: what both cost, and what their ratio approaches.

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
import { drawAxes, drawCurve } from "../shared/axes.js";
import { chosenBox, writeChosen, followChosen } from "../shared/chosen.js";
import { fixed } from "../shared/numbers.js";
import { widgetRoot, canvasOf, titleOf } from "../shared/parts.js";

const RATIO_HEIGHT = 220; // of the curve's picture

function render({ model, el }) {
  const words = model.get("_words");
  const choices = model.get("_options");
  const view = { model, words, choices, parts: separablePage(words, choices), preview: null };
  view.redraw = oncePerFrame(() => drawSeparable(view));
  wireSeparable(view);
  el.append(view.parts.root);
  return follow(view, view.parts.root, model, Object.keys(choices));
}

// The dense one is one bar, the separable one has two parts, on one scale.
function separablePage(words, choices) {
  const { box, sliders } = chosenBox(words, choices);
  const [bars, costs] = [{}, {}];
  const rows = make("div", { class: "dl-costs" });
  for (const [name, kinds] of [
    ["dense", ["dense"]],
    ["separable", ["depthwise", "pointwise"]],
  ]) {
    for (const kind of kinds) bars[kind] = make("i", { class: `dl-kind-${kind}` });
    costs[name] = make("span");
    const track = make(
      "div",
      { class: "dl-track", "aria-hidden": "true" },
      ...kinds.map((kind) => bars[kind]),
    );
    rows.append(make("div", {}, make("b", {}, words[name]), " ", costs[name], track));
  }
  const legend = make("ul", { class: "dl-legend" });
  for (const kind of ["depthwise", "pointwise"])
    legend.append(make("li", {}, make("i", { class: `dl-key dl-kind-${kind}` }), words[kind]));
  const canvas = canvasOf("ratio", true);
  const limit = make("small");
  const room = make("div", {}, titleOf(words.y, limit), canvas);
  const said = make("p", { class: "dl-status" });
  const hint = make("div", { class: "dl-notes" }, words.hint);
  const root = widgetRoot(words, "separable", box, rows, legend, room, said, hint);
  return { ...root, sliders, bars, costs, limit, canvas, room, said };
}

// ---------------------------------------------------------------- numbers

// Weights of both, multiply-adds of both and of the depthwise part, stride 1 and no bias.
function costsOf({ kernel_size: k, in_channels: channels, out_channels: out, side }) {
  const [denseWeights, depthwiseWeights] = [k * k * channels * out, k * k * channels];
  const separableWeights = depthwiseWeights + channels * out;
  return {
    dense_weights: denseWeights,
    separable_weights: separableWeights,
    dense: denseWeights * side ** 2,
    separable: separableWeights * side ** 2,
    depthwise: depthwiseWeights * side ** 2,
    ratio: separableWeights / denseWeights,
    limit: 1 / k ** 2,
  };
}

// A large number in a few digits: 9.82·10⁹, 589.8·10³, 2304.
function inUnits(words, value) {
  if (value >= 1e9) return say(words, "billions", { number: fixed(value / 1e9, 2) });
  if (value >= 1e6) return say(words, "millions", { number: fixed(value / 1e6, 2) });
  if (value >= 1e4) return say(words, "thousands", { number: fixed(value / 1e3, 1) });
  return String(value);
}

function separableSentence(words, state, costs) {
  const verdict = costs.ratio < 1 ? "cheaper" : costs.ratio > 1 ? "dearer" : "same";
  return say(words, "caption", {
    k: state.kernel_size,
    squared: state.kernel_size ** 2,
    dilation: state.dilation,
    channels: state.in_channels,
    out: state.out_channels,
    side: state.side,
    dense_adds: inUnits(words, costs.dense),
    adds: inUnits(words, costs.separable),
    dense_weights: inUnits(words, costs.dense_weights),
    weights: inUnits(words, costs.separable_weights),
    share: fixed((100 * costs.depthwise) / costs.separable, 0),
    ratio: fixed(costs.ratio, 3),
    limit: fixed(costs.limit, 3),
    verdict: say(words, verdict, { times: fixed(1 / costs.ratio, 1) }),
  });
}

// ---------------------------------------------------------------- picture

function drawSeparable(view) {
  const { model, words, choices, parts } = view;
  const width = Math.floor(Math.min(parts.room.clientWidth, 760));
  if (!width) return;
  markTheme(parts.root);
  const state = Object.fromEntries(Object.keys(choices).map((name) => [name, model.get(name)]));
  if (view.preview) state.out_channels = view.preview;
  const costs = costsOf(state);
  writeChosen(parts.sliders, choices, model);
  const most = Math.max(costs.dense, costs.separable);
  const adds = { ...costs, pointwise: costs.separable - costs.depthwise };
  for (const [kind, bar] of Object.entries(parts.bars)) bar.style.width = `${(100 * adds[kind]) / most}%`;
  for (const [name, node] of Object.entries(parts.costs)) {
    const numbers = [costs[name], costs[`${name}_weights`]].map((value) => inUnits(words, value));
    setText(node, say(words, "costs", { adds: numbers[0], weights: numbers[1] }));
  }
  setText(parts.limit, say(words, "limit", { limit: fixed(costs.limit, 3) }));
  drawRatio(view, surface(parts.canvas, width, RATIO_HEIGHT), width, state.out_channels, costs);
  const said = separableSentence(words, state, costs);
  setText(parts.said, said);
  if (!view.preview) announce(parts.live, said);
  parts.canvas.setAttribute("aria-label", say(words, "describe", { said }));
}

// The ratio over the channels out, its limit, and where we are.
function drawRatio(view, ctx, width, chosen, { ratio, limit }) {
  const { words, parts, choices } = view;
  const colours = readColours(parts.probe);
  const [left, right, top, bottom] = [36, width - 26, 20, RATIO_HEIGHT - 42];
  const octaves = Math.log2(choices.out_channels.at(-1));
  const most = Math.max(1.25, 1 + limit);
  const x = (channels) => left + (Math.log2(channels) / octaves) * (right - left);
  const y = (share) => bottom - (share / most) * (bottom - top);
  view.channelsAt = (place) => 2 ** (((place - left) / (right - left)) * octaves);
  const shares = [0, 0.5, 1, 2].filter((share) => share <= most);
  const up = shares.map((share) => [y(share), String(share)]);
  const across = [1, 4, 16, 64, 256, 1024].map((channels) => [x(channels), String(channels)]);
  drawAxes(ctx, { left, right, bottom, height: RATIO_HEIGHT }, { up, across, name: words.x }, colours);
  const ends = [left, right].map((end) => [end, y(limit)]);
  drawCurve(ctx, ends, colours.unit, [7, 4]);
  const places = Array.from({ length: 8 * octaves + 1 }, (_, i) => 2 ** (i / 8));
  const curve = places.map((channels) => [x(channels), y(1 / channels + limit)]);
  drawCurve(ctx, curve, colours.touched);
  ctx.fillStyle = colours.touched;
  ctx.beginPath();
  ctx.arc(x(chosen), y(ratio), 6, 0, 2 * Math.PI);
  ctx.fill();
  ctx.fillStyle = colours.ink;
  ctx.font = `600 13px ${colours.font}`;
  ctx.textAlign = "left";
  ctx.fillText(fixed(ratio, 3), Math.min(x(chosen) + 6, right - 14), y(ratio) - 13);
}

// ---------------------------------------------------------------- gestures

function wireSeparable(view) {
  const { parts, model, choices } = view;
  const channels = choices.out_channels;
  followChosen(view, choices);
  const look = (preview) => {
    view.preview = preview;
    view.redraw();
  };
  const choose = (value) => {
    commit(model, { out_channels: value });
    look(null);
  };
  const far = (a, b) => Math.abs(Math.log2(a / b));
  const nearest = ({ x }) => {
    const there = view.channelsAt(x);
    return channels.reduce((best, value) => (far(value, there) < far(best, there) ? value : best));
  };
  followPointer(parts.canvas, {
    press: () => {},
    preview: (point) => view.channelsAt && look(nearest(point)),
    keep: (point) => view.channelsAt && choose(nearest(point)),
    leave: () => look(null),
  });
  followKeys(parts.canvas, ([up, along]) => {
    const place = channels.indexOf(model.get("out_channels")) + along - up;
    choose(channels[clamp(place, 0, channels.length - 1)]);
  });
}

// Whether the address of a page may ask for this state.
function accepts({ _options: choices, ...state }) {
  return Object.entries(choices).every(([name, values]) => values.includes(state[name]));
}

export default { render, accepts };
