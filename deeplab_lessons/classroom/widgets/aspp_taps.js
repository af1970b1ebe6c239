// The arithmetic of the ASPP explorer, the same as in Python.

// How many of three taps, `rate` apart, fall on an axis of `cells` cells at `place`.
function tapsOnAxis(cells, rate, place) {
  return [place - rate, place, place + rate].filter((tap) => 0 <= tap && tap < cells).length;
}

function cellsOf(sides, stride) {
  return sides.map((side) => Math.ceil(side / stride));
}

// Position of a cell's centre in pixels: the map lies centred on the picture, as in `grid.cell_centres`.
function centreOf(side, stride, place) {
  const cells = Math.ceil(side / stride);
  return (side - 1 - stride * (cells - 1)) / 2 + stride * place;
}

function moved(place, before, after) {
  return Math.floor((2 * place * before + after) / (2 * after));
}

// What the table says of every branch at the cell [row, column].
function branchNumbers({ sides, stride, trunk, rates, cell }) {
  const map = cellsOf(sides, stride);
  return rates.map((rate) => ({
    rate,
    window: 2 * rate + 1,
    field: trunk + 2 * rate * stride,
    taps: map.map((cells, axis) => tapsOnAxis(cells, rate, cell[axis])).reduce((a, b) => a * b),
    whole: map.map((cells) => Math.max(cells - 2 * rate, 0) / cells).reduce((a, b) => a * b),
  }));
}

function sentenceOf(texts, branch, { rate, taps }) {
  const kind = { 9: "said_all", 1: "said_one" }[taps] ?? "said_some";
  return say(texts, kind, { branch: branch + 1, dilation: rate, taps });
}
