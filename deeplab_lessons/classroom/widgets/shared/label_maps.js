// Label maps as the package computes them in Python: unpacked, made small, enlarged, measured and coloured.

import { clamp } from "./common.js";

const VOID = 255;
const NUMBERS = { uint8: Uint8Array, float32: Float32Array };

// The numbers of an array that `shared/pictures.py` packed.
export async function unpacked({ type, data }) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new NUMBERS[type](await new Response(inflated).arrayBuffer());
}

// `metrics.mean_iou` in per cent: classes in neither map are left out, void pixels are not counted.
export function meanIou(drawn, labels, classes) {
  const [both, either] = [new Float64Array(classes), new Float64Array(classes)];
  labels.forEach((label, i) => {
    if (label === VOID) return;
    either[label]++;
    if (drawn[i] === label) both[label]++;
    else either[drawn[i]]++;
  });
  const found = [...both].map((pixels, label) => pixels / either[label]).filter((iou) => !Number.isNaN(iou));
  return (100 * found.reduce((a, b) => a + b, 0)) / found.length;
}

// Which labelled pixels are drawn wrong, as 0 and 1.
export function wrongPixels(drawn, labels) {
  return labels.map((label, i) => Number(label !== VOID && label !== drawn[i]));
}

// How many of the numbers are not 0, and their mean.
export function countOf(marks) {
  return marks.reduce((sum, mark) => sum + (mark !== 0), 0);
}

export function meanOf(numbers) {
  return numbers.reduce((a, b) => a + b, 0) / numbers.length;
}

// ---------------------------------------------------------------- cells

// `redrawing.class_shares`: {cells, shares: [classes, rows, columns]}.
function classShares(labels, [height, width], stride, classes) {
  const cells = [height, width].map((side) => Math.ceil(side / stride));
  const many = cells[0] * cells[1];
  const [shares, labelled] = [new Float32Array(classes * many), new Uint32Array(many)];
  labels.forEach((label, i) => {
    if (label === VOID) return;
    const [row, column] = [Math.floor(i / width), i % width];
    const cell = Math.floor(row / stride) * cells[1] + Math.floor(column / stride);
    shares[label * many + cell]++;
    labelled[cell]++;
  });
  return { cells, shares: shares.map((count, i) => count / Math.max(labelled[i % many], 1)) };
}

// `redrawing.redraw`: true labels made small and drawn again, by "subsample", "majority" or "shares".
export function redrawn(labels, size, stride, classes, reading) {
  const { cells, shares } = classShares(labels, size, stride, classes);
  if (reading === "shares") {
    return bestClasses(shares, cells, size, { stride, start: (stride - 1) / 2 }).labels;
  }
  const many = cells[0] * cells[1];
  const small = new Uint8Array(many).fill(VOID);
  for (let cell = 0; cell < many; cell++) {
    let most = 0;
    for (let label = 0; label < classes; label++) {
      const share = shares[label * many + cell];
      if (share > most) [most, small[cell]] = [share, label];
    }
    if (reading !== "subsample") continue;
    const middle = [Math.floor(cell / cells[1]), cell % cells[1]].map((place, axis) =>
      Math.min(place * stride + Math.floor(stride / 2), size[axis] - 1),
    );
    const sample = labels[middle[0] * size[1] + middle[1]];
    if (sample !== VOID) small[cell] = sample;
  }
  return labels.map((_, i) => {
    const [row, column] = [Math.floor(i / size[1]), i % size[1]];
    return small[Math.floor(row / stride) * cells[1] + Math.floor(column / stride)];
  });
}

// `grid.bilinear_weights` of an axis: for each pixel two neighbouring cells, and how much the second one counts.
function neighbours(pixels, cells, { stride, start }) {
  const first = start ?? (pixels - 1 - stride * (cells - 1)) / 2;
  return Array.from({ length: pixels }, (_, pixel) => {
    const place = clamp((pixel - first) / stride, 0, cells - 1);
    const cell = Math.floor(place);
    return [cell, Math.min(cell + 1, cells - 1), place - cell];
  });
}

// Each pixel's best class and its probability, from scores [classes, rows, columns] that `grid.upsample` would enlarge.
export function bestClasses(scores, cells, size, grid) {
  const [down, across] = size.map((pixels, axis) => neighbours(pixels, cells[axis], grid));
  const [many, columns] = [cells[0] * cells[1], cells[1]];
  const here = new Float64Array(scores.length / many);
  const labels = new Uint8Array(size[0] * size[1]);
  const confidence = new Float32Array(labels.length);
  let pixel = 0;
  for (const [top, bottom, low] of down) {
    for (const [left, right, far] of across) {
      let best = 0;
      for (let label = 0; label < here.length; label++) {
        const at = (row, column) => scores[label * many + row * columns + column];
        const upper = (1 - far) * at(top, left) + far * at(top, right);
        const lower = (1 - far) * at(bottom, left) + far * at(bottom, right);
        here[label] = (1 - low) * upper + low * lower;
        if (here[label] > here[best]) best = label;
      }
      labels[pixel] = best;
      confidence[pixel++] = 1 / here.reduce((sum, score) => sum + Math.exp(score - here[best]), 0);
    }
  }
  return { labels, confidence };
}

// Each pixel's best class in the cell that is nearest to it.
export function nearestClasses(scores, cells, size, grid) {
  const own = bestClasses(scores, cells, cells, { stride: 1, start: 0 }).labels;
  const [down, across] = size.map((pixels, axis) =>
    neighbours(pixels, cells[axis], grid).map(([cell, next, share]) => (share > 0.5 ? next : cell)),
  );
  return Uint8Array.from(down.flatMap((row) => across.map((column) => own[row * cells[1] + column])));
}

// ---------------------------------------------------------------- colours

const opaque = (red, green, blue) => (red | (green << 8) | (blue << 16) | (255 << 24)) >>> 0;

// Numbers as a picture of `size` [rows, columns]; `toneOf` gives the colour of each.
function pictureOf(numbers, [height, width], toneOf) {
  const canvas = new OffscreenCanvas(width, height);
  const ctx = canvas.getContext("2d");
  const picture = ctx.createImageData(width, height);
  new Uint32Array(picture.data.buffer).set(Uint32Array.from(numbers, toneOf));
  ctx.putImageData(picture, 0, 0);
  return canvas;
}

export function colouredLabels(labels, size, palette) {
  const tones = Uint32Array.from({ length: palette.length / 3 }, (_, i) =>
    opaque(...palette.subarray(3 * i, 3 * i + 3)),
  );
  return pictureOf(labels, size, (label) => tones[label]);
}

// Greys from 0 (black) to 255 (white).
export function greyPicture(greys, size) {
  return pictureOf(greys, size, (grey) => opaque(grey, grey, grey));
}

// Marks in a colour [red, green, blue]; what isn't marked is see-through.
export function markedPixels(marks, size, colour) {
  const tone = opaque(...colour);
  return pictureOf(marks, size, (mark) => (mark ? tone : 0));
}
