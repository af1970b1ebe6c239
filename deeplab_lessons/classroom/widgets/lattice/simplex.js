// One point of two features in the permutohedral lattice: the arithmetic of deeplab_lessons/crf/permutohedral.py and
// of readable_lattice.py, with numbers in the order of their axes. A test compares every number with Python's.

import { roundEven } from "../shared/numbers.js";

const SPREAD = Math.sqrt(2 / 3) * 3; // the matrix E: perpendicular columns of this length

function embed([x, y]) {
  const [first, second] = [x * (SPREAD / Math.sqrt(2)), y * (SPREAD / Math.sqrt(6))];
  return [second + first, second - first, -2 * second];
}

// `embed` undone: a vertex in the plane of the two features.
export function flat([a, b, c]) {
  return [((a - b) * Math.sqrt(3)) / 6, (a + b - 2 * c) / 6];
}

// How many rests are larger, or equal and earlier.
function ranksOf(rest) {
  return rest.map((one, i) => rest.filter((other, j) => other > one || (other === one && j < i)).length);
}

// Every number of the way, as Python's `found()`; `corners` is [3 corners][3 coordinates].
export function locate(point) {
  const elevated = embed(point);
  const thirds = elevated.map((value) => roundEven(value * (1 / 3)));
  const rounded = thirds.map((third) => 3 * third);
  const rest = elevated.map((value, i) => value - rounded[i]);
  const sum = thirds[0] + thirds[1] + thirds[2];
  const shifted = ranksOf(rest).map((rank) => rank + sum);
  const turns = shifted.map((rank) => (rank < 0 ? 1 : rank >= 3 ? -1 : 0)); // back onto the plane
  const rank = shifted.map((value, i) => value + 3 * turns[i]);
  const origin = rounded.map((value, i) => value + 3 * turns[i]);
  const corners = [0, 1, 2].map((k) => origin.map((value, i) => value + k - (rank[i] >= 3 - k ? 3 : 0)));
  const offset = elevated.map((value, i) => value - origin[i]);
  const thirdOf = (r) => offset[rank.indexOf(r)] * (1 / 3);
  const [largest, middle, smallest] = [0, 1, 2].map(thirdOf);
  const weights = [1 - largest + smallest, middle - smallest, largest - middle];
  return { elevated, rounded, rest, rank, origin, corners, offset, weights };
}

// All vertices near the middle, each with its three neighbours up the axes, as pairs of features.
export function net(reach) {
  const ups = [
    [1, 1, -2],
    [1, -2, 1],
    [-2, 1, 1],
  ];
  const edges = [];
  for (let i = -reach; i <= reach; i++) {
    for (let j = -reach; j <= reach; j++) {
      const vertex = [i + j, i - 2 * j, j - 2 * i];
      for (const up of ups) edges.push([flat(vertex), flat(vertex.map((value, axis) => value + up[axis]))]);
    }
  }
  return edges;
}
