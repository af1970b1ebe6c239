// The axes of a chart, and a curve in it.

// `up` and `across` are the axes' [place, text] pairs, in CSS pixels; `name` belongs to the one across.
export function drawAxes(ctx, { left, right, bottom, height }, { up, across, name }, { faint, line, font }) {
  ctx.font = `12px ${font}`;
  ctx.fillStyle = faint;
  ctx.strokeStyle = line;
  ctx.lineWidth = 1;
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  for (const [y, text] of up) {
    ctx.strokeRect(left, y, right - left, 0);
    ctx.fillText(text, left - 6, y);
  }
  ctx.textAlign = "center";
  for (const [x, text] of across) ctx.fillText(text, x, bottom + 12);
  ctx.fillText(name, (left + right) / 2, height - 10);
}

// A line through [x, y] points, dashed where `dash` says so.
export function drawCurve(ctx, points, colour, dash = []) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2.5;
  ctx.setLineDash(dash);
  ctx.beginPath();
  for (const [x, y] of points) ctx.lineTo(x, y);
  ctx.stroke();
  ctx.setLineDash([]);
}
