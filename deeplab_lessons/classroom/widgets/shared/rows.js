// The stack from the side: a row of cells for the input and for each layer, the input at the bottom.
// A scene is {layers, fields, rows, unit, words}: fields from receptiveFields, rows from pathsByRow.

import { sides, startOf, boxOf, inside, touchedRange } from "./arithmetic.js";
import { say, clamp, rgb, inkOn } from "./common.js";
import { hatch, dimension, drawCell } from "./drawing.js";

const GUTTER = 74; // room for the layers' names
const MANY_LINKS = 260; // more than this between two rows, and only their outline is drawn

// Where everything lies: x(row, cell) is a cell's left edge, y(row) the top of a row of cells.
export function sideLayout(width, scene) {
  const { fields, rows } = scene;
  const low = Math.min(...rows.map((row, i) => startOf(fields[i]) - (row.before + 0.5) * fields[i].jump));
  const high = Math.max(
    ...rows.map((row, i) => startOf(fields[i]) + (fields[i].out + row.after - 0.5) * fields[i].jump),
  );
  const room = width - GUTTER - 10;
  const scale = Math.min(27, room / (high - low));
  const left = GUTTER + (room - scale * (high - low)) / 2;
  const pitch = clamp(330 / fields.length, 19, 54);
  const tall = Math.min(pitch * 0.6, Math.max(scale * 0.92, 13));
  const place = (row, cell) => startOf(fields[row]) + cell * fields[row].jump;
  return {
    width,
    height: pitch * (fields.length - 1) + tall + 44,
    tall,
    scale,
    step: (row) => fields[row].jump * scale,
    centre: (row, cell) => left + (place(row, cell) - low) * scale,
    pixels: (position) => left + (position - low) * scale,
    y: (row) => 6 + (fields.length - 1 - row) * pitch,
  };
}

export function drawSide(ctx, layout, scene, colours) {
  for (let row = scene.layers.length; row > 0; row--) drawLinks(ctx, layout, scene, row, colours);
  scene.rows.forEach((_, row) => {
    drawName(ctx, layout, scene, row, colours);
    if (layout.step(row) >= 4.5) drawCells(ctx, layout, scene, row, colours);
    else drawBand(ctx, layout, scene, row, colours);
  });
  drawField(ctx, layout, scene, colours);
}

function drawName(ctx, layout, { fields, words }, row, colours) {
  ctx.font = `11px ${colours.font}`;
  ctx.fillStyle = colours.ink;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  const name = row ? fields[row].name : words.input_row;
  ctx.fillText(name, 2, layout.y(row) + layout.tall / 2, GUTTER - 8);
}

// From each touched cell of `row` to its taps below, or their common outline where they are too many.
function drawLinks(ctx, layout, scene, row, colours) {
  const layer = scene.layers[row - 1];
  const above = inside(scene.rows[row]);
  const reach = touchedRange(above);
  if (!reach) return;
  const [top, bottom] = [layout.y(row) + layout.tall, layout.y(row - 1)];
  const shift = sides(layer)[0];
  const tapOf = (unit, tap) => unit * layer.stride - shift + tap * layer.dilation;
  outlineLinks(ctx, layout, row, reach, tapOf, layer, [top, bottom], colours);
  const touched = above.reduce((sum, paths) => sum + (paths > 0), 0);
  if (touched * layer.kernel_size > MANY_LINKS) return;
  ctx.strokeStyle = colours.touched;
  ctx.globalAlpha = touched * layer.kernel_size > 60 ? 0.4 : 0.65;
  ctx.beginPath();
  above.forEach((paths, unit) => {
    for (let tap = 0; paths && tap < layer.kernel_size; tap++) {
      ctx.moveTo(layout.centre(row, unit), top);
      ctx.lineTo(layout.centre(row - 1, tapOf(unit, tap)), bottom);
    }
  });
  ctx.stroke();
  ctx.globalAlpha = 1;
}

function outlineLinks(ctx, layout, row, [first, last], tapOf, layer, [top, bottom], colours) {
  const [half, halfBelow] = [layout.step(row) / 2, layout.step(row - 1) / 2];
  ctx.beginPath();
  ctx.moveTo(layout.centre(row, first) - half, top);
  ctx.lineTo(layout.centre(row, last) + half, top);
  ctx.lineTo(layout.centre(row - 1, tapOf(last, layer.kernel_size - 1)) + halfBelow, bottom);
  ctx.lineTo(layout.centre(row - 1, tapOf(first, 0)) - halfBelow, bottom);
  ctx.fillStyle = colours.touched;
  ctx.globalAlpha = 0.13;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.lineWidth = 1;
}

// How strong a colour for a count: visible from 1 path on, full at the most.
function strength(paths, most) {
  return paths ? 0.22 + 0.78 * Math.sqrt(paths / most) : 0;
}

function drawCells(ctx, layout, scene, row, colours) {
  const { before, counts } = scene.rows[row];
  const units = counts.length - scene.rows[row].after;
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  const range = touchedRange(counts) ?? [0, -1];
  const wide = layout.step(row) > 9 ? Math.min(layout.step(row) - 2, 60) : layout.step(row) - 1;
  counts.forEach((paths, at) => {
    const x = layout.centre(row, at - before) - wide / 2;
    const box = [x, layout.y(row), wide, layout.tall];
    const real = at >= before && at < units;
    drawCell(ctx, box, { real, share: strength(paths, most), last: row === scene.layers.length }, colours);
    const between = at >= range[0] && at <= range[1];
    if (!between || !real) return;
    const tone = row === scene.layers.length ? colours.unit : colours.touched;
    writeCount(ctx, box, paths, { tone, share: strength(paths, most) }, colours);
  });
}

// The count in the cell; a hole says 0.
function writeCount(ctx, [x, y, wide, tall], paths, { tone, share }, colours) {
  const text = String(paths);
  const size = Math.min(12, tall * 0.62);
  if (size < 8 || text.length * size * 0.6 > wide - 2) return;
  ctx.font = `${size}px ${colours.font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  const paper = rgb(colours.paper);
  const ground = rgb(tone).map((part, i) => share * part + (1 - share) * paper[i]);
  ctx.fillStyle = paths === 0 ? colours.faint : inkOn(ground);
  ctx.fillText(text, x + wide / 2, y + tall / 2 + 0.5);
}

// A row too fine for cells: one strip, one colour step per cell, padding hatched at both ends.
function drawBand(ctx, layout, scene, row, colours) {
  const { before, after, counts } = scene.rows[row];
  const [step, y] = [layout.step(row), layout.y(row)];
  const edge = (cell) => layout.centre(row, cell) - step / 2;
  const cells = counts.length - before - after;
  for (const [from, many] of [
    [-before, before],
    [cells, after],
  ]) {
    if (many) hatch(ctx, edge(from), y, many * step, layout.tall, colours.faint, 4);
  }
  ctx.fillStyle = colours.paper;
  ctx.fillRect(edge(0), y, cells * step, layout.tall);
  ctx.imageSmoothingEnabled = step < 1;
  ctx.drawImage(strip(counts, colours), edge(-before), y, counts.length * step, layout.tall);
  ctx.strokeStyle = colours.line;
  ctx.lineWidth = 1;
  ctx.strokeRect(edge(0), y, cells * step, layout.tall);
}

// A picture one pixel high: the colour of each cell.
export function strip(counts, colours) {
  const canvas = new OffscreenCanvas(counts.length, 1);
  const ctx = canvas.getContext("2d");
  const picture = ctx.createImageData(counts.length, 1);
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  const [red, green, blue] = rgb(colours.touched);
  counts.forEach((paths, i) => picture.data.set([red, green, blue, 255 * strength(paths, most)], 4 * i));
  ctx.putImageData(picture, 0, 0);
  return canvas;
}

// Under the input row: the whole field as a dimension line, as far as it is on the drawing.
function drawField(ctx, layout, { fields, unit, words }, colours) {
  const [first, last] = boxOf(fields.at(-1), unit);
  const left = Math.max(layout.pixels(first - 0.5), GUTTER - 6);
  const right = Math.min(layout.pixels(last + 0.5), layout.width - 2);
  const label = say(words, "field_span", { size: fields.at(-1).size });
  dimension(ctx, left, right, layout.y(0) + layout.tall + 13, label, colours.unit, colours.font);
}
