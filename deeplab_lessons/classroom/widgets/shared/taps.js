// The arithmetic of taps on a map, the same as in Python.

import { say } from "./common.js";

export const TAP_COUNTS = [9, 6, 4, 3, 2, 1];

// How many of three taps, `rate` apart, fall on an axis of `cells` cells at `place`.
export function tapsOnAxis(cells, rate, place) {
  return [place - rate, place, place + rate].filter((tap) => 0 <= tap && tap < cells).length;
}

export function cellsOf(sides, stride) {
  return sides.map((side) => Math.ceil(side / stride));
}

// Position of a cell's centre in pixels: the map lies centred on the picture, as in `grid.cell_centres`.
export function centreOf(side, stride, place) {
  const cells = Math.ceil(side / stride);
  return (side - 1 - stride * (cells - 1)) / 2 + stride * place;
}

export function moved(place, before, after) {
  return Math.floor((2 * place * before + after) / (2 * after));
}

// Share of a square map's cells for each number of taps, and the same as whole cells.
export function tapShares(size, rate) {
  const axis = Array.from({ length: size }, (_, place) => tapsOnAxis(size, rate, place));
  const places = [1, 2, 3].map((taps) => axis.filter((found) => found === taps).length);
  const cells = Object.fromEntries(TAP_COUNTS.map((count) => [count, 0]));
  places.forEach((rows, i) => places.forEach((columns, j) => (cells[(i + 1) * (j + 1)] += rows * columns)));
  const shares = Object.fromEntries(TAP_COUNTS.map((count) => [count, cells[count] / size ** 2]));
  return { axis, cells, shares };
}

// What the table says of every branch at the cell [row, column].
export function branchNumbers({ sides, stride, trunk, rates, cell }) {
  const map = cellsOf(sides, stride);
  return rates.map((rate) => ({
    rate,
    window: 2 * rate + 1,
    field: trunk + 2 * rate * stride,
    taps: map.map((cells, axis) => tapsOnAxis(cells, rate, cell[axis])).reduce((a, b) => a * b),
    whole: map.map((cells) => Math.max(cells - 2 * rate, 0) / cells).reduce((a, b) => a * b),
  }));
}

export function sentenceOf(words, branch, { rate, taps }) {
  const kind = { 9: "said_all", 1: "said_one" }[taps] ?? "said_some";
  return say(words, kind, { branch: branch + 1, dilation: rate, taps });
}
