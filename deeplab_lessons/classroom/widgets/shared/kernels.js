// The kernel of the fully connected CRF, pixel by pixel.

const FAR = 14; // exp(-14) is below a millionth, and counts as 0

// Write how much pixel `own` listens to the first pixels of the picture, as many as `row` holds:
// exp(-|p_i - p_j|²/2σ² - |I_i - I_j|²/2σβ²). `pixels` are red, green, blue of each; σβ Infinity leaves colours out.
export function writeKernelRow(row, pixels, width, own, sigma, sigmaBeta) {
  const [far, unlike] = [1 / (2 * sigma ** 2), 1 / (2 * sigmaBeta ** 2)];
  const [top, left] = [Math.floor(own / width), own % width];
  const [red, green, blue] = pixels.subarray(3 * own, 3 * own + 3);
  for (let i = 0, y = 0, x = 0; i < row.length; i++) {
    const dr = pixels[3 * i] - red;
    const dg = pixels[3 * i + 1] - green;
    const db = pixels[3 * i + 2] - blue;
    const apart =
      ((y - top) * (y - top) + (x - left) * (x - left)) * far + (dr * dr + dg * dg + db * db) * unlike;
    row[i] = apart < FAR ? Math.exp(-apart) : 0;
    if (++x === width) {
      x = 0;
      y++;
    }
  }
}
