// The two planes: the output map with its chosen unit, and the photograph under the unit's field.
// A scene is {fields, down, across, unit: [row, column], photo}: `down` and `across` hold the path counts
// of the input's rows and columns. A pixel's paths are their product, so both axes stay apart.

import { boxOf } from "./arithmetic.js";
import { rgb } from "./common.js";
import { hatch } from "./drawing.js";

// The photograph at the input's own resolution, kept until the size or the picture changes.
export function photoAt(image, size, kept) {
  if (kept.size === size && kept.src === image.src) return kept.canvas;
  kept.canvas ??= document.createElement("canvas");
  [kept.canvas.width, kept.canvas.height, kept.size, kept.src] = [size, size, size, image.src];
  const ctx = kept.canvas.getContext("2d");
  ctx.imageSmoothingQuality = "high";
  if (image.complete && image.naturalWidth) ctx.drawImage(image, 0, 0, size, size);
  else kept.src = null;
  return kept.canvas;
}

// The input plane leaves a margin for fields that reach into the padding, up to 30 % of the picture.
export function inputLayout(side, fields) {
  const size = fields[0].out;
  const field = fields.at(-1);
  const before = -boxOf(field, 0)[0];
  const after = boxOf(field, field.out - 1)[1] - (size - 1);
  const margin = Math.min(Math.max(before, after, 0), Math.round(size * 0.3));
  const pixel = side / (size + 2 * margin);
  return { side, size, margin, pixel, at: (position) => (position + margin) * pixel };
}

export function drawInput(ctx, layout, scene, colours) {
  const { side, size, pixel, at } = layout;
  hatch(ctx, 0, 0, side, side, colours.line, 6);
  ctx.fillStyle = colours.paper;
  ctx.fillRect(at(0), at(0), size * pixel, size * pixel);
  ctx.imageSmoothingEnabled = pixel < 1;
  ctx.drawImage(scene.photo, at(0), at(0), size * pixel, size * pixel);
  ctx.drawImage(heat(scene, colours), at(0), at(0), size * pixel, size * pixel);
  if (pixel >= 6) drawGrid(ctx, at(0), at(0), size, pixel, "rgb(128 128 128 / 0.35)");
  writeProducts(ctx, layout, scene);
  ctx.strokeStyle = colours.line;
  ctx.lineWidth = 1;
  ctx.strokeRect(at(0), at(0), size * pixel, size * pixel);
  drawBox(ctx, layout, scene, colours);
}

// Pixels out of sight are veiled; touched ones show through, the bluer the more paths they have.
function heat({ down, across }, colours) {
  const canvas = new OffscreenCanvas(across.length, down.length);
  const ctx = canvas.getContext("2d");
  const picture = ctx.createImageData(across.length, down.length);
  const tones = new Uint32Array(picture.data.buffer);
  const [veil, blue] = [packed(colours.paper), packed(colours.touched)];
  const [rows, columns] = [rootShares(down), rootShares(across)];
  for (let row = 0, i = 0; row < rows.length; row++) {
    for (let column = 0; column < columns.length; column++, i++) {
      const share = rows[row] * columns[column];
      tones[i] = share > 0 ? blue | ((30 + 120 * share) << 24) : veil | (125 << 24);
    }
  }
  ctx.putImageData(picture, 0, 0);
  return canvas;
}

function packed(colour) {
  const [red, green, blue] = rgb(colour);
  return red | (green << 8) | (blue << 16);
}

function rootShares(counts) {
  const most = counts.reduce((a, b) => Math.max(a, b), 1);
  return Float64Array.from(counts, (paths) => Math.sqrt(paths / most));
}

function drawGrid(ctx, x, y, cells, pixel, colour) {
  ctx.beginPath();
  for (let i = 1; i < cells; i++) {
    ctx.moveTo(x + i * pixel, y);
    ctx.lineTo(x + i * pixel, y + cells * pixel);
    ctx.moveTo(x, y + i * pixel);
    ctx.lineTo(x + cells * pixel, y + i * pixel);
  }
  ctx.strokeStyle = colour;
  ctx.lineWidth = 0.5;
  ctx.stroke();
}

// The count itself, where a pixel is large enough for it.
function writeProducts(ctx, { pixel, at }, { down, across }) {
  if (pixel < 17) return;
  ctx.font = `600 ${Math.min(12, pixel * 0.5)}px sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineWidth = 2;
  ctx.strokeStyle = "rgb(0 0 0 / 0.65)";
  ctx.fillStyle = "white";
  down.forEach((paths, row) =>
    across.forEach((times, column) => {
      const text = String(paths * times);
      if (paths * times === 0 || text.length * pixel * 0.32 > pixel) return;
      ctx.strokeText(text, at(column + 0.5), at(row + 0.5));
      ctx.fillText(text, at(column + 0.5), at(row + 0.5));
    }),
  );
}

function drawBox(ctx, layout, { fields, unit }, colours) {
  const [[top, bottom], [left, right]] = unit.map((place) => boxOf(fields.at(-1), place));
  const [x, y] = [layout.at(left), layout.at(top)];
  ctx.strokeStyle = "rgb(255 255 255 / 0.8)";
  ctx.lineWidth = 4;
  ctx.strokeRect(x, y, layout.at(right + 1) - x, layout.at(bottom + 1) - y);
  ctx.strokeStyle = colours.unit;
  ctx.lineWidth = 2;
  ctx.strokeRect(x, y, layout.at(right + 1) - x, layout.at(bottom + 1) - y);
}

export function drawOutput(ctx, side, { fields, unit: [row, column] }, colours) {
  const out = fields.at(-1).out;
  const cell = side / out;
  ctx.fillStyle = colours.paper;
  ctx.fillRect(0, 0, side, side);
  ctx.fillStyle = colours.unit;
  ctx.globalAlpha = 0.16;
  ctx.fillRect(0, row * cell, side, cell);
  ctx.fillRect(column * cell, 0, cell, side);
  ctx.globalAlpha = 1;
  if (cell >= 3) drawGrid(ctx, 0, 0, out, cell, colours.faint);
  const mark = Math.max(cell, 6);
  ctx.fillRect((column + 0.5) * cell - mark / 2, (row + 0.5) * cell - mark / 2, mark, mark);
  ctx.strokeStyle = colours.line;
  ctx.lineWidth = 1;
  ctx.strokeRect(0.5, 0.5, side - 1, side - 1);
}
