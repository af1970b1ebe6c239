// The arithmetic of deeplab_lessons/arithmetic.py, function by function, so that a widget answers without
// Python. A test compares every number with Python's. Convention: the centre of cell 0 is position 0.
// A layer is {name, kernel_size, stride, padding, dilation, ceil_mode?}; padding is a number, [before, after]
// or "same".

export const LEAST = { kernel_size: 1, stride: 1, dilation: 1, padding: 0, input_size: 1 };

// An impossible layer or stack: `reason` is a key of the widget's words, `values` fills their gaps.
export class Impossible extends Error {
  constructor(reason, values = {}) {
    super(reason);
    this.reason = reason;
    this.values = values;
  }
}

export function whole(name, value, layer = "") {
  if (!Number.isInteger(value)) throw new Impossible("not_whole", { name, value, layer });
  if (value < LEAST[name]) throw new Impossible(`least_${name}`, { name, value, layer });
  return value;
}

function effectiveKernelSize(kernelSize, dilation = 1) {
  return kernelSize + (kernelSize - 1) * (dilation - 1);
}

export function covers(layer) {
  return effectiveKernelSize(layer.kernel_size, layer.dilation);
}

// Padding [before, after]; under "same" an odd cell goes after, as in PyTorch.
export function sides(layer) {
  const { padding } = layer;
  if (padding === "same") return [Math.floor((covers(layer) - 1) / 2), Math.floor(covers(layer) / 2)];
  return Array.isArray(padding) ? padding : [padding, padding];
}

export function checkLayer(layer) {
  const { name, padding } = layer;
  for (const key of ["kernel_size", "stride", "dilation"]) whole(key, layer[key], name);
  if (padding === "same") {
    if (layer.stride !== 1) throw new Impossible("same_stride", { layer: name, stride: layer.stride });
  } else if (typeof padding === "string" || (Array.isArray(padding) && padding.length !== 2)) {
    throw new Impossible("padding_form", { layer: name, value: padding });
  } else {
    for (const side of sides(layer)) whole("padding", side, name);
  }
  return layer;
}

export function outputSize(inputSize, layer) {
  const cells = whole("input_size", inputSize, layer.name);
  const [before, after] = sides(layer);
  const room = cells + before + after - covers(layer);
  const steps = room / layer.stride;
  const out = (layer.ceil_mode ? Math.ceil(steps) : Math.floor(steps)) + 1;
  if (out < 1) {
    const there = cells + before + after;
    throw new Impossible("too_small", {
      layer: layer.name,
      covers: covers(layer),
      there,
      cells,
      before,
      after,
    });
  }
  const startsBeyond = layer.ceil_mode && (out - 1) * layer.stride >= cells + before;
  return startsBeyond ? out - 1 : out;
}

// One step of the recursion: from the field before `layer` to the field after it.
function extend(field, layer) {
  return {
    size: field.size + (layer.kernel_size - 1) * layer.dilation * field.jump,
    jump: field.jump * layer.stride,
    first: field.first - sides(layer)[0] * field.jump,
    out: outputSize(field.out, layer),
    name: layer.name,
  };
}

// Fields of the input (index 0) and after each layer. Throws Impossible, naming the layer.
export function receptiveFields(layers, inputSize) {
  layers.forEach(checkLayer);
  const fields = [{ size: 1, jump: 1, first: 0, out: whole("input_size", inputSize), name: "input" }];
  for (const layer of layers) fields.push(extend(fields.at(-1), layer));
  return fields;
}

export function startOf(field) {
  return field.first + (field.size - 1) / 2;
}

// First and last pixel that `unit` sees, padding included.
export function boxOf(field, unit) {
  const first = field.first + unit * field.jump;
  return [first, first + field.size - 1];
}

// For the input and every layer, how many paths lead from each cell to the output unit. A row is
// {before, after, counts}: `counts` begins and ends with the padding cells that the layer above adds.
export function pathsByRow(layers, unit, inputSize) {
  const sizes = receptiveFields(layers, inputSize).map((field) => field.out);
  const rows = [{ before: 0, after: 0, counts: new Float64Array(sizes.at(-1)) }];
  rows[0].counts[unit] = 1;
  for (let place = layers.length - 1; place >= 0; place--) {
    rows.unshift(stepDown(layers[place], sizes[place], rows[0]));
  }
  return rows;
}

// Paths in padding are counted where they end, and go no further down.
function stepDown(layer, cells, above) {
  const [before, after] = sides(layer);
  const counts = new Float64Array(before + cells + after);
  const units = above.counts.length - above.before - above.after;
  for (let unit = 0; unit < units; unit++) {
    const paths = above.counts[above.before + unit];
    if (paths === 0) continue;
    for (let tap = 0; tap < layer.kernel_size; tap++) {
      const cell = unit * layer.stride + tap * layer.dilation;
      if (cell < counts.length) counts[cell] += paths;
    }
  }
  return { before, after, counts };
}

// Only the row's own cells, without its padding.
export function inside(row) {
  return row.counts.subarray(row.before, row.counts.length - row.after);
}

// Paths from each input pixel to output unit `unit`.
export function pathCounts(layers, unit, inputSize) {
  return inside(pathsByRow(layers, unit, inputSize)[0]);
}

// First and last cell that a path touches, or null where the unit sees padding only.
export function touchedRange(counts) {
  const first = counts.findIndex((paths) => paths > 0);
  return first < 0 ? null : [first, counts.findLastIndex((paths) => paths > 0)];
}
