// A slider through the snapshots of a training: the image, what the network predicts, the true labels.

import {
  bestClasses,
  colouredLabels,
  greyPicture,
  meanIou,
  meanOf,
  nearestClasses,
} from "../shared/label_maps.js";
import { fixed } from "../shared/numbers.js";
import { showPanels } from "../shared/panels.js";

function render({ model, el }) {
  const words = model.get("_words");
  const explorer = {
    step: "iteration",
    steps: model.get("_iterations"),
    list: "view",
    options: Object.fromEntries(model.get("_views").map((name) => [name, words[`view_${name}`]])),
    panels: ["picture", "drawn", "labels"],
    sources: ["_maps"],
    draw: (maps) => drawSnapshot(maps, model),
  };
  return showPanels({ model, el }, "training", explorer).close;
}

function drawSnapshot(maps, model) {
  const { photo, labels, palette, size, classes, logits, cells, grid } = maps;
  const words = model.get("_words");
  const [iteration, view] = [model.get("iteration"), model.get("view")];
  const many = classes * cells[0] * cells[1];
  const place = model.get("_iterations").indexOf(iteration);
  const scores = logits.subarray(place * many, (place + 1) * many);
  const { labels: drawn, confidence } = bestClasses(scores, cells, size, grid);
  const coloured = (map) => colouredLabels(map, size, palette);
  const middle = {
    labels: () => coloured(drawn),
    cells: () => coloured(nearestClasses(scores, cells, size, grid)),
    confidence: () =>
      greyPicture(
        confidence.map((sure) => Math.floor(255 * sure)),
        size,
      ),
  };
  return {
    size,
    layers: { picture: [photo], drawn: [middle[view]()], labels: [coloured(labels)] },
    said: {
      iteration,
      view: words[`view_${view}`],
      iou: fixed(meanIou(drawn, labels, classes), 1),
      sure: fixed(100 * meanOf(confidence), 0),
    },
  };
}

// Whether the address of a page may ask for this state.
function accepts({ iteration, view, _iterations: iterations, _views: views }) {
  return iterations.includes(iteration) && views.includes(view);
}

export default { render, accepts };
