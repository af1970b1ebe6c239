// The CRF explorer. Python computes; this side asks for one picture at a time, always with the newest numbers. Where
// there is no Python, or none that answers, it computes a smaller one itself.

import {
  say,
  clamp,
  commit,
  listen,
  oncePerFrame,
  surface,
  readColours,
  markTheme,
  followPointer,
  followKeys,
  setText,
  write,
  follow,
  isWhole,
  announce,
} from "../shared/common.js";
import { writeFacts } from "../shared/parts.js";
import { patienceOf } from "../shared/patience.js";
import { answerHere, marginalsHere, smallPicture } from "./here.js";
import { crfPage, drawOverlay, drawChanged } from "./page.js";

const NUMBERS = ["w1", "sigma_alpha", "sigma_beta", "w2", "sigma_gamma", "iterations", "normalisation"];
const SETTLED = 350; // ms without a gesture until the whole picture is asked for

function render({ model, el }) {
  const words = model.get("_words");
  const parts = crfPage(words, model.get("_ranges"), Object.keys(model.get("_presets")));
  const images = Object.fromEntries(
    ["photo", "confidence", "before", "after", "changed"].map((name) => [name, new Image()]),
  );
  const name = Math.random().toString(36).slice(2);
  const alone = !model.widget_manager; // Jupyter has one; a page of our own has not, and no Python either
  const view = {
    model,
    words,
    parts,
    images,
    name,
    count: 0,
    wanted: null,
    waiting: null,
    stale: false,
    typing: null,
    alone,
    silent: alone,
    here: null,
    computing: false,
    closed: false,
    moved: 0,
    delay: null,
  };
  view.redraw = oncePerFrame(() => drawCrf(view));
  wireCrf(view);
  const stop = listen(model, ["_answer"], () => answered(view));
  el.append(parts.root);
  load(view);
  const close = follow(view, parts.root, model, [...NUMBERS, "preset", "caption"]);
  return () => {
    view.closed = true;
    stop();
    clearTimeout(view.impatient);
    clearTimeout(view.settling);
    close();
  };
}

// ---------------------------------------------------------------- one question at a time

function numbersNow({ model, wanted, waiting }) {
  return {
    ...Object.fromEntries(NUMBERS.map((name) => [name, model.get(name)])),
    ...waiting?.numbers,
    ...wanted?.numbers,
  };
}

function isSetting(numbers, setting) {
  return NUMBERS.every((name) => numbers[name] === setting[name]);
}

// A gesture: remember what is wanted now; what was wanted before and not yet sent is forgotten.
function want(view, changes, reduced) {
  view.moved = performance.now();
  clearTimeout(view.settling);
  if (reduced) view.settling = setTimeout(() => view.stale && want(view, {}, false), SETTLED);
  view.stale = reduced;
  if (view.alone) {
    commit(view.model, changes);
  } else {
    const since = view.wanted?.since ?? view.moved;
    view.wanted = { numbers: { ...numbersNow(view), ...changes }, reduced, since };
    sendNext(view);
  }
  view.redraw();
}

function sendNext(view) {
  if (view.waiting || !view.wanted) return;
  const { numbers, reduced, since } = view.wanted;
  const number = `${view.name}-${++view.count}`;
  view.waiting = { number, numbers, since };
  view.wanted = null;
  clearTimeout(view.impatient);
  view.impatient = setTimeout(() => {
    view.silent = true;
    view.redraw();
  }, patienceOf(view.parts.root));
  commit(view.model, { _request: { number, reduced, numbers } });
}

// The picture of an answer is drawn before the next question goes out: dragging never queues up.
function answered(view) {
  const mine = view.waiting?.number === view.model.get("_answer").number;
  const since = mine ? view.waiting.since : null;
  if (mine) {
    clearTimeout(view.impatient);
    view.waiting = view.here = null;
    view.silent = false;
  }
  load(view, () => {
    if (since !== null) view.delay = performance.now() - since;
    sendNext(view);
  });
}

// Without Python: compute until what is shown belongs to the newest numbers, one picture after the other.
async function computeHere(view) {
  const { model, images, words } = view;
  if (!view.silent || view.computing) return;
  view.computing = true;
  const stopped = () => !view.silent || view.closed;
  while (!stopped()) {
    const [numbers, since] = [numbersNow(view), view.moved];
    if (isSetting(numbers, (view.here ?? model.get("_answer")).numbers)) break;
    const small = await (view.small ??= smallPicture(model, images.photo));
    const marginals = await marginalsHere(small, numbers, stopped);
    if (!marginals || stopped()) break;
    view.here = answerHere(small, marginals, numbers, words);
    await load(view, () => since && (view.delay = performance.now() - since));
  }
  view.computing = false;
}

async function load(view, done = () => {}) {
  const sources = { ...view.model.get("_pictures"), ...view.model.get("_drawn"), ...view.here?.drawn };
  for (const [name, source] of Object.entries(sources)) {
    if (view.images[name].src !== source) view.images[name].src = source;
  }
  await Promise.allSettled(Object.values(view.images).map((image) => image.decode()));
  done();
  view.redraw();
}

// ---------------------------------------------------------------- gestures

function wireCrf(view) {
  const { parts, model } = view;
  for (const [name, [slide, number]] of Object.entries(parts.sliders)) {
    slide.addEventListener("input", () => want(view, { [name]: Number(slide.value) }, true));
    slide.addEventListener("change", () => want(view, { [name]: Number(slide.value) }, false));
    number.addEventListener("input", () => (view.typing = number));
    number.addEventListener("change", () => {
      view.typing = null;
      const typed = Number(number.value);
      if (number.value === "" || !Number.isFinite(typed)) return view.redraw();
      const within = clamp(typed, Number(number.min), Math.max(Number(number.max), Number(model.get(name))));
      want(view, { [name]: name === "iterations" ? Math.round(within) : within }, false);
    });
  }
  parts.preset.addEventListener("change", () => {
    const numbers = model.get("_presets")[parts.preset.value];
    if (numbers) want(view, numbers, false);
    else view.redraw();
  });
  for (const input of [parts.wipe, parts.opacity]) input.addEventListener("input", view.redraw);
  wireWipe(view);
}

function wireWipe(view) {
  const { overlay } = view.parts.canvases;
  let pressed = false;
  const to = (share) => {
    view.parts.wipe.value = String(Math.round(100 * clamp(share, 0, 1)));
    view.redraw();
  };
  followPointer(overlay, {
    press: () => (pressed = true),
    preview: ({ x }) => pressed && to(x / overlay.clientWidth),
    keep: () => (pressed = false),
    leave: () => (pressed = false),
  });
  followKeys(overlay, ([rows, columns]) => to(Number(view.parts.wipe.value) / 100 + (columns - rows) / 50));
}

// ---------------------------------------------------------------- drawing

function drawCrf(view) {
  const { parts, images, words } = view;
  const width = Math.min(parts.large.clientWidth, 512);
  if (!width) return;
  markTheme(parts.root);
  writeCrf(view);
  computeHere(view);
  if (!images.photo.naturalWidth) return;
  const colours = readColours(parts.probe);
  const shape = images.photo.naturalHeight / images.photo.naturalWidth;
  const [wipe, opacity] = [Number(parts.wipe.value) / 100, Number(parts.opacity.value) / 100];
  const height = Math.round(width * shape);
  drawOverlay(
    surface(parts.canvases.overlay, width, height),
    width,
    height,
    images,
    wipe,
    opacity,
    words,
    colours,
  );
  const small = Math.min(parts.canvases.confidence.parentElement.clientWidth, 240);
  const low = Math.round(small * shape);
  surface(parts.canvases.confidence, small, low).drawImage(images.confidence, 0, 0, small, low);
  drawChanged(surface(parts.canvases.changed, small, low), small, low, images);
  parts.canvases.overlay.dataset.drawn = "yes";
}

function writeCrf(view) {
  const { parts, words, model } = view;
  const [numbers, answer] = [numbersNow(view), view.here ?? model.get("_answer")];
  const caption = view.here?.caption ?? model.get("caption");
  for (const [name, [slide, number]] of Object.entries(parts.sliders)) {
    slide.max = Math.max(model.get("_ranges")[name][1], numbers[name]);
    if (Number(slide.value) !== numbers[name]) slide.value = String(numbers[name]);
    if (view.typing !== number) write(number, String(numbers[name]));
  }
  const shown = {
    changed: `${answer.changed} %`,
    iou: iouNow(view),
    normalisation: words[`by_${numbers.normalisation}`],
    size: answer.size,
    delay:
      view.delay === null ? words.no_gesture : say(words, "milliseconds", { ms: Math.round(view.delay) }),
  };
  writeFacts(parts.facts, shown);
  const presets = Object.entries(model.get("_presets"));
  parts.preset.value = presets.find(([, setting]) => isSetting(numbers, setting))?.[0] ?? "own";
  setText(parts.status, view.alone ? (view.here ? words.alone : "") : view.silent ? words.silent : "");
  parts.canvases.overlay.setAttribute(
    "aria-label",
    say(words, "describe_overlay", { caption, wipe: parts.wipe.value }),
  );
  parts.canvases.changed.setAttribute(
    "aria-label",
    say(words, "describe_changed", { changed: answer.changed }),
  );
  const passing = view.here ? view.stale || !isSetting(numbers, answer.numbers) : answer.reduced;
  if (!passing) announce(parts.live, caption);
}

function iouNow({ model, words, here }) {
  const [before, after] = model.get("_answer").iou;
  if (before === undefined) return words.no_labels;
  return here ? words.iou_here : say(words, "iou_pair", { before, after });
}

// Whether the address of a page may ask for this state.
function accepts({ preset, normalisation, _presets: presets, _ranges: ranges, ...state }) {
  const named = preset === "own" || Object.hasOwn(presets, preset);
  const { iterations, ...widths } = ranges;
  const possible = Object.entries(widths).every(([name, [least]]) => state[name] >= least);
  const known = `by_${normalisation}` in state._words;
  return named && possible && isWhole(state.iterations, ...iterations.slice(0, 2)) && known;
}

export default { render, accepts };
