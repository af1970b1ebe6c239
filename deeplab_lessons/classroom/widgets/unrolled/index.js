// The iterations of the dense CRF on one picture. Python computes all of them when a weight changes.

import { isWhole, commit, make, setText, write } from "../shared/common.js";
import { colouredLabels, countOf, greyPicture, markedPixels, meanIou } from "../shared/label_maps.js";
import { fixed } from "../shared/numbers.js";
import { showPanels, VEIL } from "../shared/panels.js";
import { patienceOf } from "../shared/patience.js";
import { sliderAndField } from "../shared/sliders.js";

const WEIGHTS = ["w1", "w2"];

function render({ model, el }) {
  const words = model.get("_words");
  const sliders = Object.fromEntries(
    WEIGHTS.map((name) => {
      const limits = { min: 0, max: model.get("_most")[name], step: 0.5 };
      return [name, sliderAndField(words, name, words[name], limits, { min: 0, step: "any" })];
    }),
  );
  const lines = WEIGHTS.map((name) =>
    make(
      "div",
      { class: "dl-slider", title: words[name] },
      make("span", {}, words[`name_${name}`]),
      ...sliders[name],
    ),
  );
  const status = make("p", { class: "dl-status", role: "alert" });
  const python = { silent: false, impatient: null };
  const explorer = {
    step: "step",
    steps: Array.from({ length: model.get("_last") + 1 }, (_, step) => step),
    list: "view",
    options: Object.fromEntries(model.get("_views").map((name) => [name, words[`view_${name}`]])),
    panels: ["picture", "drawn", "labels"],
    sources: ["_maps", "_steps"],
    draw: (maps) => drawStep(maps, model),
    controls: [...lines, status],
    traits: WEIGHTS,
    write() {
      for (const name of WEIGHTS) writeWeight(sliders[name], model.get(name));
      listenForPython({ model, el }, python, view.redraw);
      setText(status, python.silent ? words.silent : "");
    },
  };
  const view = showPanels({ model, el }, "unrolled", explorer);
  for (const name of WEIGHTS) wireWeight(model, name, sliders[name], view.redraw);
  return () => {
    clearTimeout(python.impatient);
    view.close();
  };
}

// The steps say for which weights they are; if they are not the present ones for long, nobody computes.
function listenForPython({ model, el }, python, redraw) {
  const { weights } = model.get("_steps");
  if (WEIGHTS.every((name, i) => model.get(name) === weights[i])) {
    clearTimeout(python.impatient);
    Object.assign(python, { silent: false, impatient: null });
  } else {
    python.impatient ??= setTimeout(() => {
      python.silent = true;
      redraw();
    }, patienceOf(el));
  }
}

function wireWeight(model, name, [slide, number], redraw) {
  const change = (value) => {
    commit(model, { [name]: value });
    redraw();
  };
  slide.addEventListener("input", () => change(Number(slide.value)));
  number.addEventListener("input", () => number.toggleAttribute("data-typing", true));
  number.addEventListener("change", () => {
    const typed = Number(number.value);
    if (number.value !== "" && Number.isFinite(typed)) change(Math.max(typed, 0));
  });
  for (const event of ["change", "blur"]) {
    number.addEventListener(event, () => {
      number.toggleAttribute("data-typing", false);
      write(number, String(model.get(name)));
    });
  }
}

function writeWeight([slide, number], value) {
  slide.max = String(Math.max(Number(slide.max), value));
  if (Number(slide.value) !== value) slide.value = String(value);
  if (!number.matches("[data-typing]")) write(number, String(value));
}

function drawStep(maps, model) {
  const { photo, labels, palette, size, classes, steps, confidence, sure } = maps;
  const words = model.get("_words");
  const [step, view] = [model.get("step"), model.get("view")];
  const many = labels.length;
  const at = (stack, i) => stack.subarray(i * many, (i + 1) * many);
  const now = at(steps, step);
  const otherThan = (i) => now.map((label, pixel) => Number(label !== at(steps, i)[pixel]));
  const changed = otherThan(0);
  const coloured = (map) => colouredLabels(map, size, palette);
  const middle = {
    labels: () => [coloured(now)],
    confidence: () => [greyPicture(at(confidence, step), size)],
    changes: () => [coloured(now), VEIL, markedPixels(changed, size, model.get("_mark"))],
  };
  return {
    size,
    layers: { picture: [photo], drawn: middle[view](), labels: [coloured(labels)] },
    said: {
      step,
      last: model.get("_last"),
      view: words[`view_${view}`],
      changed: countOf(changed),
      moved: countOf(otherThan(Math.max(step - 1, 0))),
      iou: fixed(meanIou(now, labels, classes), 1),
      sure: fixed(100 * sure[step], 0),
    },
  };
}

// Whether the address of a page may ask for this state.
function accepts({ step, view, w1, w2, _last: last, _views: views, _steps: steps }) {
  const computed = w1 === steps.weights[0] && w2 === steps.weights[1];
  return computed && isWhole(step, 0, last) && views.includes(view);
}

export default { render, accepts };
