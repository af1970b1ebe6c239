// The pictures of the explorer of valid taps: the coloured map with its chosen cell, and the curves over the dilation.

import { inkOn } from "../shared/common.js";
import { TAP_COUNTS, tapShares } from "../shared/taps.js";
import { drawAxes, drawCurve } from "../shared/axes.js";

const TAP_DASHES = { 9: [], 6: [6, 4], 4: [], 3: [2, 3], 2: [6, 4], 1: [] };

// Runs of neighbouring places with the same number of taps: [first, last, taps].
function runsOf(axis) {
  const runs = [];
  axis.forEach((taps, place) => {
    if (runs.length && runs.at(-1)[2] === taps) runs.at(-1)[1] = place;
    else runs.push([place, place, taps]);
  });
  return runs;
}

export function drawTapMap(ctx, scale, state, colours) {
  const runs = runsOf(state.axis);
  for (const [top, bottom, down] of runs) {
    for (const [left, right, across] of runs) {
      const [x, y, width, height] = [left, top, right - left + 1, bottom - top + 1].map(
        (cells) => cells * scale,
      );
      ctx.fillStyle = colours.taps[down * across];
      ctx.fillRect(x, y, width, height);
      writeCount(ctx, String(down * across), x, y, Math.min(width, height), colours);
    }
  }
  if (scale >= 5) drawTapGrid(ctx, scale, state.size);
  markTaps(ctx, scale, state);
}

// The number of taps in the upper left corner of its block, where there is room for it.
function writeCount(ctx, text, x, y, room, { font, taps }) {
  if (room < 14) return;
  const size = Math.min(room * 0.7, 22);
  ctx.font = `600 ${size}px ${font}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillStyle = inkOn([1, 3, 5].map((i) => parseInt(taps[text].slice(i, i + 2), 16)));
  ctx.fillText(text, x + size / 4, y + size / 5);
}

function drawTapGrid(ctx, scale, size) {
  ctx.strokeStyle = "rgb(255 255 255 / 0.35)";
  ctx.lineWidth = 0.5;
  ctx.beginPath();
  for (let i = 1; i < size; i++) {
    ctx.moveTo(i * scale, 0);
    ctx.lineTo(i * scale, size * scale);
    ctx.moveTo(0, i * scale);
    ctx.lineTo(size * scale, i * scale);
  }
  ctx.stroke();
}

// The chosen cell as a square, and a ring on each of its taps that is on the map.
function markTaps(ctx, scale, { size, dilation, cell }) {
  const places = cell.map((place) =>
    [place - dilation, place, place + dilation].filter((tap) => 0 <= tap && tap < size),
  );
  const centre = (place) => (place + 0.5) * scale;
  const half = Math.max(scale / 2, 6);
  for (const [colour, line] of [
    ["white", 5],
    ["black", 2],
  ]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = line;
    for (const row of places[0]) {
      for (const column of places[1]) {
        ctx.beginPath();
        if (row === cell[0] && column === cell[1])
          ctx.rect(centre(column) - half, centre(row) - half, 2 * half, 2 * half);
        else ctx.arc(centre(column), centre(row), Math.max(scale / 2, 5), 0, 2 * Math.PI);
        ctx.stroke();
      }
    }
  }
}

// ---------------------------------------------------------------- curves

export function lastRate(size) {
  return Math.max(Math.round(size * 1.2), 4);
}

export function drawTapChart(ctx, width, height, state, colours, { words }) {
  const [left, right, top, bottom] = [44, width - 34, 12, height - 42];
  const last = Math.max(lastRate(state.size), state.dilation);
  const x = (rate) => left + ((rate - 1) / Math.max(last - 1, 1)) * (right - left);
  const y = (share) => bottom - share * (bottom - top);
  const up = [0, 0.5, 1].map((share) => [y(share), `${100 * share} %`]);
  const across = [1, Math.round(last / 2), last].map((rate) => [x(rate), String(rate)]);
  drawAxes(ctx, { left, right, bottom, height }, { up, across, name: words.axis }, colours);
  ctx.strokeStyle = colours.ink;
  ctx.lineWidth = 1.5;
  ctx.setLineDash([2, 3]);
  ctx.strokeRect(x(state.dilation), top, 0, bottom - top);
  const rates = Array.from({ length: last }, (_, i) => i + 1);
  const found = rates.map((rate) => tapShares(state.size, rate).shares);
  for (const count of TAP_COUNTS) {
    if (found.every((shares) => shares[count] === 0)) continue;
    const points = found.map((shares, i) => [x(rates[i]), y(shares[count])]);
    drawCurve(ctx, points, colours.taps[count], TAP_DASHES[count]);
    ctx.fillStyle = colours.taps[count];
    ctx.beginPath();
    ctx.arc(x(state.dilation), y(state.shares[count]), 4.5, 0, 2 * Math.PI);
    ctx.fill();
    nameCurve(ctx, count, found, rates, { x, y, left }, colours);
  }
}

// The number of taps beside the highest point of its curve.
function nameCurve(ctx, count, found, rates, { x, y, left }, { font, ink }) {
  const heights = found.map((shares) => shares[count]);
  const best = heights.indexOf(Math.max(...heights));
  ctx.font = `600 12px ${font}`;
  ctx.fillStyle = ink;
  ctx.textBaseline = "middle";
  ctx.textAlign = best === 0 ? "left" : "center";
  const beside = best === 0 ? 10 : 0;
  ctx.fillText(
    String(count),
    Math.max(x(rates[best]), left) + beside,
    y(heights[best]) + (best === 0 ? 4 : heights[best] > 0.9 ? 13 : -9),
  );
}
