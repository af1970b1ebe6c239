// What several widgets draw: padding, dimension lines, cells.

// Diagonal lines: "nothing real here, only padding".
export function hatch(ctx, x, y, width, height, colour, gap = 5) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  ctx.beginPath();
  for (let shift = -height; shift < width; shift += gap) {
    ctx.moveTo(x + shift, y + height);
    ctx.lineTo(x + shift + height, y);
  }
  ctx.strokeStyle = colour;
  ctx.lineWidth = 0.7;
  ctx.stroke();
  ctx.restore();
}

// A dimension line |←  label  →| from `left` to `right`.
export function dimension(ctx, left, right, y, label, colour, font) {
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = 1.2;
  ctx.beginPath();
  ctx.moveTo(left, y - 4);
  ctx.lineTo(left, y + 4);
  ctx.moveTo(right, y - 4);
  ctx.lineTo(right, y + 4);
  ctx.moveTo(left, y);
  ctx.lineTo(right, y);
  ctx.stroke();
  ctx.font = `600 12px ${font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  ctx.fillText(label, (left + right) / 2, y + 6);
}

// A cell of a row: real or padding, filled with a share of its colour; the output's are in the unit's colour.
export function drawCell(ctx, [x, y, wide, tall], { real, share, last }, colours) {
  const cell = new Path2D();
  cell.roundRect(x, y, wide, tall, Math.min(3, wide / 4));
  const tone = last ? colours.unit : colours.touched;
  ctx.fillStyle = colours.paper;
  if (real) ctx.fill(cell);
  ctx.fillStyle = tone;
  ctx.globalAlpha = real ? (last && share ? 1 : share) : share ? 0.2 : 0;
  ctx.fill(cell);
  ctx.globalAlpha = 1;
  if (!real) hatch(ctx, x, y, wide, tall, share ? tone : colours.faint, 5);
  ctx.setLineDash(real ? [] : [2.5, 2]);
  ctx.strokeStyle = share ? tone : real ? colours.line : colours.faint;
  ctx.lineWidth = 1;
  if (wide > 3) ctx.stroke(cell);
  ctx.setLineDash([]);
}
