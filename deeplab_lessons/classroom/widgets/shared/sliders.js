// Sliders, each with a field for the same number.

import { make, say, clamp, commit, write } from "./common.js";

// A slider and a field for the same number.
export function sliderAndField(words, name, label, limits, fieldLimits = limits) {
  const sliderLabel = say(words, "slider_label", { number: label });
  return [
    make("input", { class: `dl-slide-${name}`, type: "range", ...limits, "aria-label": sliderLabel }),
    make("input", { class: `dl-number-${name}`, type: "number", ...fieldLimits, "aria-label": label }),
  ];
}

// A box of such pairs from {name: {min, max, step}}; a slider's name is also its trait's and its word's.
export function sliderBox(words, limits) {
  const sliders = {};
  const box = make("div", { class: "dl-sliders" });
  for (const name of Object.keys(limits)) {
    sliders[name] = sliderAndField(words, name, words[name], limits[name]);
    box.append(make("div", { class: "dl-slider" }, make("span", {}, words[name]), ...sliders[name]));
  }
  return { box, sliders };
}

export function writeSliders(sliders, model) {
  for (const [name, fields] of Object.entries(sliders))
    for (const field of fields) if (!field.waits) write(field, String(model.get(name)));
}

// A slider is followed as it moves, and a typed number once it is within its limits; one beyond them becomes the
// nearest of them when the field is left. `changes` says which traits a number sets, where it is more than its own.
export function followSliders({ parts: { sliders }, model, redraw }, changes = ownTrait) {
  for (const [name, fields] of Object.entries(sliders)) {
    for (const field of fields) {
      const keep = (last) => {
        const typed = field.step === "1" ? Math.round(field.value) : Number(field.value);
        const value = clamp(typed, Number(field.min), Number(field.max));
        field.waits = !last && (field.value === "" || value !== typed); // a redrawing leaves it as it is
        if (field.value !== "" && (last || value === typed)) commit(model, changes(name, value));
        if (last || value === typed) redraw();
      };
      field.addEventListener("input", () => keep(false));
      field.addEventListener("change", () => keep(true));
    }
  }
}

function ownTrait(name, value) {
  return { [name]: value };
}

// Whether every value is within its slider's limits, and whole where the slider's steps are 1.
export function withinLimits(limits, state) {
  return Object.entries(limits).every(([name, { min, max, step }]) => {
    const value = state[name];
    return value >= min && value <= max && (step !== 1 || Number.isInteger(value));
  });
}
