// True labels made small at some stride and drawn large again: the image, what the map can draw, and what is wrong.

import {
  colouredLabels,
  countOf,
  markedPixels,
  meanIou,
  redrawn,
  wrongPixels,
} from "../shared/label_maps.js";
import { fixed } from "../shared/numbers.js";
import { showPanels, VEIL } from "../shared/panels.js";

function render({ model, el }) {
  const words = model.get("_words");
  const explorer = {
    step: "stride",
    steps: model.get("_strides"),
    list: "reading",
    options: Object.fromEntries(model.get("_readings").map((name) => [name, words[`reading_${name}`]])),
    panels: ["picture", "drawn", "wrong"],
    sources: ["_maps"],
    draw: (maps) => drawStride(maps, model.get("stride"), model.get("reading"), model.get("_mark")),
  };
  return showPanels({ model, el }, "stride", explorer).close;
}

function drawStride({ photo, labels, palette, size, classes }, stride, reading, mark) {
  const drawn = redrawn(labels, size, stride, classes, reading);
  const wrong = wrongPixels(drawn, labels);
  const [rows, columns] = size.map((side) => Math.ceil(side / stride));
  return {
    size,
    layers: {
      picture: [photo],
      drawn: [colouredLabels(drawn, size, palette)],
      wrong: [photo, VEIL, markedPixels(wrong, size, mark)],
    },
    said: {
      stride,
      rows,
      columns,
      iou: fixed(meanIou(drawn, labels, classes), 1),
      wrong: fixed((100 * countOf(wrong)) / wrong.length, 1),
    },
  };
}

// Whether the address of a page may ask for this state.
function accepts({ stride, reading, _strides: strides, _readings: readings }) {
  return strides.includes(stride) && readings.includes(reading);
}

export default { render, accepts };
