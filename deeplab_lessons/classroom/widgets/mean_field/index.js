// One pixel of a small picture and its row of both kernels: exp(-|f_i - f_j|²/2), computed here as in Python.

import {
  make,
  say,
  clamp,
  commit,
  oncePerFrame,
  surface,
  readColours,
  rgb,
  markTheme,
  followPointer,
  followKeys,
  announce,
  write,
  follow,
  isPlace,
} from "../shared/common.js";
import { widgetRoot, canvasOf, titleOf, factList, writeFacts } from "../shared/parts.js";
import { writeKernelRow } from "../shared/kernels.js";
import { sliderAndField } from "../shared/sliders.js";

const WIDTHS = { sigma_alpha: [1, 64, 1], sigma_beta: [1, 100, 1], sigma_gamma: [0.5, 12, 0.5] };
const KERNEL_NAMES = ["appearance", "smoothness"];
const KERNEL_TRAITS = ["pixel", ...Object.keys(WIDTHS)];

function render({ model, el }) {
  const words = model.get("_words");
  const parts = kernelPage(words);
  const [height, width] = model.get("_shape");
  const pixels = unpacked(model.get("_picture"));
  const likely = new Float32Array(unpacked(model.get("_probability")).buffer);
  const view = { model, words, parts, height, width, pixels, likely, preview: null, scales: {} };
  view.redraw = oncePerFrame(() => drawKernels(view));
  wireKernels(view);
  el.append(parts.root);
  return follow(view, parts.root, model, KERNEL_TRAITS);
}

function unpacked(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function kernelPage(words) {
  const sliders = {};
  const box = make("div", { class: "dl-sliders" });
  for (const [name, [min, max, step]] of Object.entries(WIDTHS)) {
    sliders[name] = sliderAndField(words, name, words[name], { min, max, step }, { min, step });
    box.append(make("div", { class: "dl-slider" }, make("span", {}, words[name]), ...sliders[name]));
  }
  const canvases = {};
  const planes = make("div", { class: "dl-planes" });
  for (const name of ["picture", ...KERNEL_NAMES]) {
    canvases[name] = canvasOf(name, name === "picture");
    const title = titleOf(words[`${name}_title`], make("small", {}, words[`${name}_note`]));
    planes.append(make("div", {}, title, canvases[name]));
  }
  const { facts, list } = factList(words, [
    "pixel",
    "network",
    "appearance",
    "appearance_votes",
    "smoothness",
    "smoothness_votes",
  ]);
  const hint = make("p", { class: "dl-notes" }, words.hint);
  return { ...widgetRoot(words, "kernels", box, list, planes, hint), sliders, canvases, planes, facts };
}

// The row of each kernel for the pixel [row, column], as two arrays over all pixels.
function kernelRows({ model, height, width, pixels }, [row, column]) {
  const widths = { appearance: ["sigma_alpha", "sigma_beta"], smoothness: ["sigma_gamma"] };
  return Object.fromEntries(
    Object.entries(widths).map(([name, sigmas]) => {
      const kernel = new Float64Array(height * width);
      const [sigma, sigmaBeta = Infinity] = sigmas.map((each) => model.get(each));
      writeKernelRow(kernel, pixels, width, row * width + column, sigma, sigmaBeta);
      return [name, kernel];
    }),
  );
}

// Sum of the kernel over all other pixels, what these say on average, and how far the kernel reaches.
function sumOver({ likely, width }, kernel, [row, column]) {
  const own = row * width + column;
  let [sum, votes, reach] = [0, 0, 0];
  kernel.forEach((much, i) => {
    if (i === own) return;
    sum += much;
    votes += much * likely[i];
    if (much > 0.1) reach = Math.max(reach, Math.hypot(Math.floor(i / width) - row, (i % width) - column));
  });
  return { sum, share: sum > 1e-12 ? votes / sum : null, reach };
}

function drawKernels(view) {
  const { parts, model, height, width } = view;
  const room = parts.planes.clientWidth;
  if (!room) return;
  markTheme(parts.root);
  const pixel = view.preview ?? model.get("pixel");
  const colours = readColours(parts.probe);
  const across = room >= 620 ? (room - 40) / 3 : (room - 20) / 2;
  const rows = kernelRows(view, pixel);
  const sums = {};
  for (const name of ["picture", ...KERNEL_NAMES]) {
    // On a phone the image, in which a finger looks for a pixel, is as wide as both kernels below it.
    const most = room < 420 && name === "picture" ? room : across;
    const scale = Math.floor(Math.min(most, 340)) / Math.max(height, width);
    const size = [width * scale, height * scale];
    view.scales[name] = scale;
    parts.canvases[name].parentElement.style.width = `${size[0]}px`;
    const ctx = surface(parts.canvases[name], ...size);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(toned(view, rows[name], colours), 0, 0, ...size);
    markPixel(ctx, pixel, scale, colours);
    if (rows[name]) sums[name] = sumOver(view, rows[name], pixel);
  }
  writeKernels(view, pixel, sums);
}

// The picture itself, or a faint copy of it under the kernel's blue.
function toned({ pixels, height, width }, kernel, colours) {
  const canvas = new OffscreenCanvas(width, height);
  const ctx = canvas.getContext("2d");
  const image = ctx.createImageData(width, height);
  const [paper, blue] = [rgb(colours.paper), rgb(colours.touched)];
  for (let i = 0; i < height * width; i++) {
    const grey = (pixels[3 * i] + pixels[3 * i + 1] + pixels[3 * i + 2]) / 3;
    for (let c = 0; c < 3; c++) {
      const faint = 0.78 * paper[c] + 0.22 * grey;
      image.data[4 * i + c] = kernel ? (1 - kernel[i]) * faint + kernel[i] * blue[c] : pixels[3 * i + c];
    }
    image.data[4 * i + 3] = 255;
  }
  ctx.putImageData(image, 0, 0);
  return canvas;
}

function markPixel(ctx, [row, column], scale, colours) {
  const side = Math.max(scale, 5);
  const [x, y] = [(column + 0.5) * scale - side / 2, (row + 0.5) * scale - side / 2];
  ctx.strokeStyle = "rgb(255 255 255 / 0.9)";
  ctx.lineWidth = 5;
  ctx.strokeRect(x - 1, y - 1, side + 2, side + 2);
  ctx.strokeStyle = colours.unit;
  ctx.lineWidth = 2.5;
  ctx.strokeRect(x - 1, y - 1, side + 2, side + 2);
}

function writeKernels(view, pixel, sums) {
  const { parts, words, model, likely, width, height, pixels } = view;
  const [row, column] = pixel;
  const own = row * width + column;
  const percent = (share) =>
    share === null
      ? words.nobody
      : say(words, "share", { share: (100 * share).toFixed(0), name: model.get("_name") });
  const count = (name) => say(words, "count", { count: sums[name].sum.toFixed(1) });
  const shown = { pixel: `${row}, ${column}`, network: percent(likely[own]) };
  for (const name of KERNEL_NAMES)
    Object.assign(shown, { [name]: count(name), [`${name}_votes`]: percent(sums[name].share) });
  writeFacts(parts.facts, shown);
  const [red, green, blue] = pixels.slice(3 * own, 3 * own + 3);
  parts.canvases.picture.setAttribute(
    "aria-label",
    say(words, "describe_picture", { height, width, row, column, red, green, blue }),
  );
  for (const name of KERNEL_NAMES) {
    const values = {
      kernel: words[`${name}_title`],
      count: sums[name].sum.toFixed(1),
      reach: sums[name].reach.toFixed(0),
    };
    parts.canvases[name].setAttribute("aria-label", say(words, "describe_kernel", values));
  }
  for (const [name, [slide, number]] of Object.entries(parts.sliders)) {
    slide.value = String(model.get(name));
    write(number, String(model.get(name)));
  }
  const said = say(words, "announced", {
    row,
    column,
    appearance: shown.appearance,
    smoothness: shown.smoothness,
  });
  if (!view.preview) announce(parts.live, said);
}

function wireKernels(view) {
  const { parts, model, height, width } = view;
  for (const [name, fields] of Object.entries(parts.sliders)) {
    for (const field of fields) {
      field.addEventListener("input", () => {
        if (Number(field.value) > 0) commit(model, { [name]: Number(field.value) });
        view.redraw();
      });
    }
  }
  const onPicture = ([row, column]) => [clamp(row, 0, height - 1), clamp(column, 0, width - 1)];
  const keep = (pixel) => {
    view.preview = null;
    commit(model, { pixel: onPicture(pixel) });
    view.redraw();
  };
  for (const [name, canvas] of Object.entries(parts.canvases)) {
    const pixelAt = ({ x, y }) => onPicture([y, x].map((place) => Math.floor(place / view.scales[name])));
    followPointer(canvas, {
      press: () => {},
      preview: (point) => {
        if (!view.scales[name]) return;
        view.preview = pixelAt(point);
        view.redraw();
      },
      keep: (point) => keep(pixelAt(point)),
      leave: () => {
        view.preview = null;
        view.redraw();
      },
    });
  }
  followKeys(parts.canvases.picture, ([rows, columns]) => {
    const [row, column] = model.get("pixel");
    keep([row + rows, column + columns]);
  });
}

// Whether the address of a page may ask for this state.
function accepts({ pixel, _shape: shape, ...state }) {
  return Object.keys(WIDTHS).every((name) => state[name] > 0) && isPlace(pixel, shape);
}

export default { render, accepts };
