// What Python would answer, computed in this browser on a small picture.

import { say } from "../shared/common.js";
import { inPieces, listPairs, meanField } from "./mean_field.js";

const MARK = [213, 94, 0, 255]; // vermillion of the course's palette
const NOTHING = [0, 0, 0, 0];

// The small picture with its logits, from the photograph and from what Python stored of the scores.
export async function smallPicture(model, photo) {
  const { costs, step, colours, ...small } = model.get("_small");
  const { width, height } = small;
  const image = new Image();
  image.src = costs;
  await Promise.all([image.decode(), photo.decode()]);
  const stored = pixelsOf(image).data; // one class below the other, four equal numbers a pixel
  const [count, classes] = [height * width, colours.length];
  const logits = Float64Array.from({ length: count * classes }, (_, i) => {
    const [pixel, label] = [Math.floor(i / classes), i % classes];
    return -step * stored[4 * (label * count + pixel)];
  });
  return { ...small, colours, logits, pixels: averaged(pixelsOf(photo), width, height), kept: {} };
}

function pixelsOf(image) {
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const ctx = new OffscreenCanvas(width, height).getContext("2d");
  ctx.drawImage(image, 0, 0);
  return ctx.getImageData(0, 0, width, height);
}

// Red, green and blue of each small pixel: the mean of the large ones that it covers.
function averaged({ data, width: across, height: down }, width, height) {
  const covered = (i, length, count) => [
    Math.floor((i * length) / count),
    Math.ceil(((i + 1) * length) / count),
  ];
  return Float64Array.from({ length: 3 * width * height }, (_, i) => {
    const pixel = Math.floor(i / 3);
    const [top, bottom] = covered(Math.floor(pixel / width), down, height);
    const [left, right] = covered(pixel % width, across, width);
    let sum = 0;
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) sum += data[4 * (y * across + x) + (i % 3)];
    return sum / ((bottom - top) * (right - left));
  });
}

// Marginals for these numbers, or null if they are `stopped()` on the way. Pairs are kept until a width changes.
export async function marginalsHere(small, numbers, stopped) {
  const { factor, colours, kept, logits } = small;
  const kernels = [];
  for (const [weight, name, sigma, sigmaBeta] of [
    [numbers.w1, "bilateral", numbers.sigma_alpha, numbers.sigma_beta],
    [numbers.w2, "spatial", numbers.sigma_gamma, Infinity],
  ]) {
    if (!weight) continue;
    const widths = `${sigma}, ${sigmaBeta}`;
    if (kept[name]?.widths !== widths) {
      const pairs = await inPieces(listPairs(small, sigma / factor, sigmaBeta), stopped);
      if (!pairs) return null;
      kept[name] = { widths, pairs };
    }
    kernels.push([weight, kept[name].pairs]);
  }
  const work = meanField(logits, colours.length, kernels, numbers.normalisation, numbers.iterations);
  return inPieces(work, stopped);
}

function labelsOf(scores, classes) {
  return Array.from({ length: scores.length / classes }, (_, pixel) => {
    const own = scores.subarray(pixel * classes, (pixel + 1) * classes);
    return own.indexOf(Math.max(...own));
  });
}

// What is to be shown of marginals: as Python's answer, with its pictures and words.
export function answerHere(small, marginals, numbers, words) {
  const { width, height, colours, logits } = small;
  const [before, after] = [logits, marginals].map((scores) => labelsOf(scores, colours.length));
  const differs = after.map((label, i) => label !== before[i]);
  const changed = ((100 * differs.filter(Boolean).length) / differs.length).toFixed(1);
  const drawn = {
    after: painted(small, (i) => colours[after[i]]),
    changed: painted(small, (i) => (differs[i] ? MARK : NOTHING)),
  };
  const normalised = words[`by_${numbers.normalisation}`];
  const caption = say(words, "caption", { ...numbers, changed, normalised });
  return { numbers, changed, size: say(words, "size_here", { width, height }), caption, drawn };
}

function painted({ width, height }, colourOf) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) image.data.set(colourOf(i), 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas.toDataURL();
}
