// Sliders, each with a field for the same number.

import { make, say } from "./common.js";

// A slider and a field for the same number.
export function sliderAndField(words, name, label, limits, fieldLimits = limits) {
  const sliderLabel = say(words, "slider_label", { number: label });
  return [
    make("input", { class: `dl-slide-${name}`, type: "range", ...limits, "aria-label": sliderLabel }),
    make("input", { class: `dl-number-${name}`, type: "number", ...fieldLimits, "aria-label": label }),
  ];
}
