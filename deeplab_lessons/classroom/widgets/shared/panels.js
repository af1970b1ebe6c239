// Pictures in a row, a slider of steps, a list, and a sentence on what is shown: all of an explorer but its numbers.

import { make, say, commit, listen, oncePerFrame, markTheme, setText, follow, announce } from "./common.js";
import { unpacked } from "./label_maps.js";
import { widgetRoot, canvasOf, titleOf } from "./parts.js";

export const VEIL = "rgb(255 255 255 / 0.667)"; // over a picture that marks are drawn on

// A layer of a panel is a colour or a picture. The explorer says:
// step, steps     the trait of the slider, and its values
// list, options   the trait of the list, and {value: what the list says for it}
// panels          names of the pictures; the words title them panel_NAME
// sources         traits whose entries are unpacked before `draw` gets them, all in one object
// draw(maps)      gives {size, layers: {panel: [layer]}, said: values for the gaps of words}
// controls, traits, write   more elements, the traits that they show, and what writes them
export function showPanels({ model, el }, kind, explorer) {
  const words = model.get("_words");
  const parts = panelsPage(words, kind, explorer);
  const view = { model, words, parts, explorer, maps: null, turn: 0 };
  view.redraw = oncePerFrame(() => drawPanels(view));
  const change = (name, value) => {
    commit(model, { [name]: value });
    view.redraw();
  };
  const { step, steps, list, sources, traits = [] } = explorer;
  parts.slide.addEventListener("input", () => change(step, steps[Number(parts.slide.value)]));
  parts.select.addEventListener("change", () => change(list, parts.select.value));
  el.append(parts.root);
  const stop = listen(model, sources, () => load(view));
  load(view);
  const close = follow(view, parts.root, model, [step, list, ...traits]);
  return {
    redraw: view.redraw,
    close() {
      stop();
      close();
    },
  };
}

function panelsPage(words, kind, { step, steps, list, options, panels, controls = [] }) {
  const limits = { min: 0, max: steps.length - 1, step: 1 };
  const slide = make("input", {
    class: `dl-slide-${step}`,
    type: "range",
    ...limits,
    "aria-label": words[step],
  });
  const at = make("span", { class: "dl-at" });
  const select = make("select", { class: `dl-${list}`, "aria-label": words[list] });
  for (const [value, text] of Object.entries(options)) select.append(make("option", { value }, text));
  const bar = make(
    "div",
    { class: "dl-sliders dl-panel-bar" },
    make("div", { class: "dl-slider" }, make("span", {}, words[step]), slide, at),
    make("label", { class: "dl-slider" }, make("span", {}, words[list]), select),
    ...controls,
  );
  const row = make("div", { class: "dl-panels" });
  const [canvases, titles] = [{}, {}];
  for (const name of panels) {
    canvases[name] = canvasOf(`panel-${name}`);
    titles[name] = titleOf("");
    row.append(make("div", {}, titles[name], canvases[name]));
  }
  const said = make("p", { class: "dl-said" });
  const hint = make("p", { class: "dl-notes" }, words.hint);
  return { ...widgetRoot(words, kind, bar, row, said, hint), slide, at, select, canvases, titles, said };
}

// Pictures and arrays take a moment; those of a later change are not overtaken by these.
async function load(view) {
  const turn = ++view.turn;
  const entries = view.explorer.sources.flatMap((name) => Object.entries(view.model.get(name)));
  const found = await Promise.all(
    entries.map(async ([name, value]) => [name, await (value.data ? unpacked(value) : value)]),
  );
  const maps = Object.fromEntries(found);
  const photo = new Image();
  photo.src = maps.photo;
  await photo.decode();
  if (turn !== view.turn) return;
  view.maps = { ...maps, photo };
  view.redraw();
}

function drawPanels(view) {
  const { model, words, parts, maps, explorer } = view;
  const { step, steps, list, panels } = explorer;
  if (!parts.root.clientWidth) return;
  markTheme(parts.root);
  const value = model.get(step);
  const text = say(words, "at_step", { value, last: steps.at(-1) });
  parts.slide.value = String(steps.indexOf(value));
  parts.slide.setAttribute("aria-valuetext", text);
  setText(parts.at, text);
  parts.select.value = model.get(list);
  explorer.write?.();
  if (!maps) return;
  const { size, layers, said } = explorer.draw(maps);
  for (const name of panels) {
    const title = say(words, `panel_${name}`, said);
    setText(parts.titles[name].firstChild, title);
    parts.canvases[name].setAttribute("aria-label", title);
    paint(parts.canvases[name], size, layers[name]);
  }
  const caption = say(words, "caption", said);
  setText(parts.said, caption);
  announce(parts.live, caption);
}

// One pixel of the canvas for each of the picture; the style sheet enlarges it without smoothing.
function paint(canvas, [height, width], layers) {
  [canvas.width, canvas.height] = [width, height];
  const ctx = canvas.getContext("2d");
  for (const layer of layers) {
    if (typeof layer === "string") {
      ctx.fillStyle = layer;
      ctx.fillRect(0, 0, width, height);
    } else ctx.drawImage(layer, 0, 0, width, height);
  }
}
