// Mean field in the fully connected CRF by its definition, over all pairs of pixels of a small picture. The functions
// with a star let the page go on at each `yield`: `inPieces` runs them.

import { writeKernelRow } from "../shared/kernels.js";

const PIECE = 25; // ms of computing in one go
const POWERS = { symmetric: [0.5, 0.5], row: [0, 1], none: [0, 0] }; // of the row sums, before and after filtering

// Run a computation to its end, with pauses in which the page answers; null if it is `stopped()` in one of them.
export async function inPieces(work, stopped) {
  for (;;) {
    const until = performance.now() + PIECE;
    while (performance.now() < until) {
      const { done, value } = work.next();
      if (done) return value;
    }
    await new Promise((resume) => setTimeout(resume));
    if (stopped()) return null;
  }
}

// A kernel as a list of pairs: what each pixel hears of those before it. Of itself it hears 1.
export function* listPairs({ pixels, width, height }, sigma, sigmaBeta) {
  const count = width * height;
  const most = (count * (count - 1)) / 2;
  const [others, weights, ends] = [new Uint16Array(most), new Float32Array(most), new Uint32Array(count)];
  let end = 0;
  for (let own = 1; own < count; own++) {
    const row = new Float32Array(own);
    writeKernelRow(row, pixels, width, own, sigma, sigmaBeta);
    for (let other = 0; other < own; other++) {
      if (row[other] === 0) continue;
      others[end] = other;
      weights[end++] = row[other];
    }
    ends[own] = end;
    if (own % 32 === 0) yield;
  }
  return { others, weights, ends };
}

// What each pixel hears, from what each says: `many` numbers a pixel.
function* hear(pairs, said, many) {
  const heard = said.slice();
  for (let own = 1; own < pairs.ends.length; own++) {
    addPairs(heard, pairs, said, own, many);
    if (own % 32 === 0) yield;
  }
  return heard;
}

function addPairs(heard, { others, weights, ends }, said, own, many) {
  const here = own * many;
  for (let at = ends[own - 1]; at < ends[own]; at++) {
    const [there, weight] = [others[at] * many, weights[at]];
    for (let c = 0; c < many; c++) {
      heard[here + c] += weight * said[there + c];
      heard[there + c] += weight * said[here + c];
    }
  }
}

function softmax(logits, classes) {
  for (let i = 0; i < logits.length; i += classes) {
    const pixel = logits.subarray(i, i + classes);
    const most = Math.max(...pixel);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += pixel[c] = Math.exp(pixel[c] - most);
    for (let c = 0; c < classes; c++) pixel[c] /= sum;
  }
  return logits;
}

// Marginals of each pixel after `iterations` updates, under Potts' model. `logits`: the network's, `classes` numbers a
// pixel; `kernels`: [weight, pairs].
export function* meanField(logits, classes, kernels, normalisation, iterations) {
  const filters = [];
  for (const [weight, pairs] of kernels) {
    const sums = yield* hear(pairs, new Float64Array(pairs.ends.length).fill(1), 1);
    const [before, after] = POWERS[normalisation].map((power) => sums.map((sum) => sum ** -power));
    filters.push({ pairs, before, after: after.map((factor) => weight * factor) });
  }
  let q = softmax(logits.slice(), classes);
  for (let step = 0; step < iterations; step++) {
    const next = logits.slice();
    for (const { pairs, before, after } of filters) {
      const said = q.map((value, i) => value * before[Math.floor(i / classes)]);
      const heard = yield* hear(pairs, said, classes);
      for (let i = 0; i < next.length; i++) next[i] += heard[i] * after[Math.floor(i / classes)];
    }
    q = softmax(next, classes);
  }
  return q;
}
