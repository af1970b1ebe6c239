// Sliders over a few chosen values, with the present one beside each.

import { make, commit, setText } from "./common.js";

// A box of them for {name: values}; a slider's name is also its trait's and its word's.
export function chosenBox(words, choices) {
  const sliders = {};
  const box = make("div", { class: "dl-sliders" });
  for (const [name, values] of Object.entries(choices)) {
    const limits = { min: 0, max: values.length - 1, step: 1 };
    const slide = make("input", {
      class: `dl-slide-${name}`,
      type: "range",
      ...limits,
      "aria-label": words[name],
    });
    sliders[name] = [slide, make("b")];
    box.append(make("div", { class: "dl-slider" }, make("span", {}, words[name]), ...sliders[name]));
  }
  return { box, sliders };
}

export function writeChosen(sliders, choices, model) {
  for (const [name, [slide, shown]] of Object.entries(sliders)) {
    slide.value = String(choices[name].indexOf(model.get(name)));
    slide.setAttribute("aria-valuetext", model.get(name));
    setText(shown, String(model.get(name)));
  }
}

export function followChosen({ parts: { sliders }, model, redraw }, choices) {
  for (const [name, [slide]] of Object.entries(sliders)) {
    slide.addEventListener("input", () => {
      commit(model, { [name]: choices[name][Number(slide.value)] });
      redraw();
    });
  }
}
