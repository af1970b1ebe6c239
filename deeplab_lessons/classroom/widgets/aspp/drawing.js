// The ASPP explorer's picture: the map's padding around it, the taps of every branch, the fields.

import { hatch } from "../shared/drawing.js";
import { centreOf } from "../shared/taps.js";

const EDGE = 14; // CSS pixels around everything, so that the outermost taps are whole

// Where pixels of the picture lie on the canvas: around the picture, room for the farthest taps.
export function asppLayout(width, { sides: [height, across], stride, rates }) {
  const reach = Math.max(...rates) * stride;
  const pixel = (width - 2 * EDGE) / (across + 2 * reach);
  const at = (position) => EDGE + (position + reach + 0.5) * pixel;
  return { pixel, at, width, height: Math.round((height + 2 * reach) * pixel + 2 * EDGE) };
}

// The padding around the map, the picture, and a dot at the centre of every cell.
export function drawGround(ctx, { width, height, pixel, at }, { sides, stride, map }, photo, colours) {
  hatch(ctx, 0, 0, width, height, colours.line, 7);
  const [high, wide] = sides.map((side) => side * pixel);
  ctx.fillStyle = colours.paper;
  ctx.fillRect(at(-0.5), at(-0.5), wide, high);
  if (photo.naturalWidth) ctx.drawImage(photo, at(-0.5), at(-0.5), wide, high);
  ctx.fillStyle = "rgb(255 255 255 / 0.55)";
  const [down, across] = map.map((cells, axis) =>
    Array.from({ length: cells }, (_, i) => at(centreOf(sides[axis], stride, i))),
  );
  const dot = Math.min(0.17 * stride * pixel, 1.4);
  for (const y of down) for (const x of across) ctx.fillRect(x - dot / 2, y - dot / 2, dot, dot);
  ctx.strokeStyle = colours.faint;
  ctx.lineWidth = 1;
  ctx.strokeRect(at(-0.5), at(-0.5), wide, high);
}

// A coloured outline with the paper's colour beneath, so that it is seen on any ground.
function outline(ctx, box, line, colour, paper, dash = []) {
  ctx.strokeStyle = paper;
  ctx.lineWidth = line + 1.75;
  ctx.strokeRect(...box);
  ctx.setLineDash(dash);
  ctx.strokeStyle = colour;
  ctx.lineWidth = line;
  ctx.strokeRect(...box);
  ctx.setLineDash([]);
}

function boxOn({ at }, [top, left], [bottom, right]) {
  return [at(left), at(top), at(right) - at(left), at(bottom) - at(top)];
}

function centreOfCell({ sides, stride, cell }) {
  return cell.map((place, axis) => centreOf(sides[axis], stride, place));
}

// Squares around the cell: what the middle tap sees, tinted, and what the whole branch sees.
export function outlineFields(ctx, layout, state, palette, { paper }) {
  const [centre, colour] = [centreOfCell(state), palette[state.chosen]];
  const square = (size) =>
    boxOn(layout, ...[-size / 2, size / 2].map((shift) => centre.map((position) => position + shift)));
  ctx.globalAlpha = 0.22;
  ctx.fillStyle = colour;
  ctx.fillRect(...square(state.trunk));
  ctx.globalAlpha = 1;
  outline(ctx, square(state.trunk), 1.5, colour, paper);
  outline(ctx, square(state.branches[state.chosen].field), 2, colour, paper, [7, 5]);
}

// The cells at which the chosen branch has all nine taps on the map.
export function outlineWhole(ctx, layout, { sides, stride, map, rates, chosen }, palette, { paper }) {
  const rate = rates[chosen];
  if (map.some((cells) => cells <= 2 * rate)) return;
  const first = sides.map((side) => centreOf(side, stride, rate - 0.5));
  const last = sides.map((side, axis) => centreOf(side, stride, map[axis] - rate - 0.5));
  outline(ctx, boxOn(layout, first, last), 2.5, palette[chosen], paper, [2.5, 4]);
}

// The chosen branch last, on top of the others; the tap in the middle belongs to all, so it is drawn once.
export function drawBranches(ctx, layout, state, palette, colours) {
  const order = state.rates.map((_, i) => i).sort((a, b) => (a === state.chosen) - (b === state.chosen));
  const places = (rate) =>
    state.cell.map((place, axis) => [-rate, 0, rate].map((step) => tapAt(layout, state, axis, place + step)));
  for (const i of order) {
    const [down, across] = places(state.rates[i]);
    const chosen = i === state.chosen;
    const frame = [across[0].at, down[0].at, across[2].at - across[0].at, down[2].at - down[0].at];
    outline(ctx, frame, chosen ? 2 : 1, palette[i], colours.paper);
    for (const y of down) {
      for (const x of across) {
        if (y === down[1] && x === across[1] && !chosen) continue;
        const filled = y.there && x.there;
        marker(ctx, i, x.at, y.at, chosen ? 6.5 : 5, { colour: palette[i], paper: colours.paper, filled });
      }
    }
  }
  drawChosenCell(ctx, layout, state);
}

function tapAt({ at }, { sides, stride, map }, axis, tap) {
  return { at: at(centreOf(sides[axis], stride, tap)), there: 0 <= tap && tap < map[axis] };
}

const CORNERS = [0, 4, 3, 4]; // of a circle, a square, a triangle and a diamond

function tracePath(ctx, kind, x, y, radius) {
  const count = CORNERS[kind];
  const size = [1, 1.25, 1.35, 1.25][kind] * radius;
  ctx.beginPath();
  if (count === 0) ctx.arc(x, y, size, 0, 2 * Math.PI);
  for (let i = 0; i < count; i++) {
    const angle = 2 * Math.PI * ((i + (kind === 1 ? 0.5 : 0)) / count - 0.25);
    ctx.lineTo(x + size * Math.cos(angle), y + size * Math.sin(angle));
  }
  ctx.closePath();
}

// A branch's sign: full on the map, hollow in the padding.
function marker(ctx, kind, x, y, radius, { colour, paper, filled }) {
  tracePath(ctx, kind, x, y, radius);
  ctx.lineJoin = "round";
  ctx.strokeStyle = filled ? "white" : paper;
  ctx.lineWidth = filled ? 3 : 4.5;
  ctx.stroke();
  ctx.fillStyle = filled ? colour : paper;
  ctx.fill();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2;
  if (!filled) ctx.stroke();
}

function drawChosenCell(ctx, { pixel, at }, state) {
  const half = Math.max((state.stride * pixel) / 2, 9);
  const [y, x] = centreOfCell(state).map(at);
  for (const [colour, line] of [
    ["white", 4],
    ["black", 2],
  ]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = line;
    ctx.strokeRect(x - half, y - half, 2 * half, 2 * half);
  }
}
