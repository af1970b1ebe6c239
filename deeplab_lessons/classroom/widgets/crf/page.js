// The CRF explorer's elements, without behaviour.

import { make } from "../shared/common.js";
import { widgetRoot, canvasOf, titleOf, factList } from "../shared/parts.js";
import { sliderAndField } from "../shared/sliders.js";

export function crfPage(words, ranges, presets) {
  const preset = make("select", { class: "dl-preset", "aria-label": words.preset });
  preset.append(
    ...["own", ...presets].map((name) => make("option", { value: name }, name === "own" ? words.own : name)),
  );
  const sliders = {};
  const box = make("div", { class: "dl-sliders dl-crf-sliders" });
  for (const [name, [min, max, step]] of Object.entries(ranges)) {
    const label = words[`label_${name}`];
    sliders[name] = sliderAndField(words, name, label, { min, max, step }, { min, max, step: "any" });
    box.append(
      make(
        "div",
        { class: "dl-slider", title: label },
        make("span", {}, words[`name_${name}`]),
        ...sliders[name],
      ),
    );
  }
  const status = make("p", { class: "dl-status", role: "alert" });
  const { facts, list } = factList(words, ["changed", "iou", "normalisation", "size", "delay"]);
  list.classList.add("dl-crf-facts");
  const canvases = {
    overlay: canvasOf("overlay", true),
    confidence: canvasOf("confidence"),
    changed: canvasOf("changed"),
  };
  canvases.confidence.setAttribute("aria-label", words.describe_confidence);
  const range = (name, value) =>
    make("input", {
      class: `dl-${name}`,
      type: "range",
      min: 0,
      max: 100,
      value,
      "aria-label": words[`${name}_label`],
    });
  const [wipe, opacity] = [range("wipe", 50), range("opacity", 55)];
  const line = (name, input) => make("div", { class: "dl-slider" }, make("span", {}, words[name]), input);
  const title = (name, note) => titleOf(words[`${name}_title`], note && make("small", {}, note));
  const large = make("div", { class: "dl-crf-large" }, title("overlay"), canvases.overlay);
  large.append(make("div", { class: "dl-crf-wipe" }, line("wipe", wipe), line("opacity", opacity)));
  const small = (name, note) => make("div", {}, title(name, note), canvases[name]);
  const side = make(
    "div",
    { class: "dl-crf-side" },
    small("confidence", words.confidence_note),
    small("changed"),
  );
  const bar = make(
    "div",
    { class: "dl-bar" },
    make("label", { class: "dl-group" }, make("span", {}, words.preset), preset),
  );
  const pictures = make("div", { class: "dl-crf-pictures" }, large, side);
  const hint = make("p", { class: "dl-notes" }, words.hint);
  const root = widgetRoot(words, "crf-explorer", bar, box, status, list, pictures, hint);
  return { ...root, preset, sliders, status, facts, canvases, large, side, wipe, opacity };
}

// The photograph, the labels before left of the border and those after right of it.
export function drawOverlay(ctx, width, height, images, wipe, opacity, words, colours) {
  const border = Math.round(width * wipe);
  ctx.drawImage(images.photo, 0, 0, width, height);
  const part = (image, left, right) => {
    if (right <= left || !image.naturalWidth) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, 0, right - left, height);
    ctx.clip();
    ctx.imageSmoothingEnabled = false;
    ctx.globalAlpha = opacity;
    ctx.drawImage(image, 0, 0, width, height);
    ctx.restore();
  };
  part(images.before, 0, border);
  part(images.after, border, width);
  ctx.fillStyle = "#fff";
  ctx.fillRect(border - 1.5, 0, 3, height);
  ctx.fillStyle = "#000";
  ctx.fillRect(border - 0.5, 0, 1, height);
  ctx.font = `600 12px ${colours.font}`;
  ctx.textBaseline = "top";
  tag(ctx, words.before, border - 8, "right", border > 60);
  tag(ctx, words.after, border + 8, "left", width - border > 60);
}

function tag(ctx, word, x, align, fits) {
  if (!fits) return;
  const wide = ctx.measureText(word).width + 10;
  ctx.fillStyle = "rgb(255 255 255 / 0.85)";
  ctx.fillRect(align === "left" ? x - 5 : x - wide + 5, 5, wide, 20);
  ctx.fillStyle = "#000";
  ctx.textAlign = align;
  ctx.fillText(word, x, 9);
}

// The paled photograph with marks on it.
export function drawChanged(ctx, width, height, images) {
  ctx.drawImage(images.photo, 0, 0, width, height);
  ctx.fillStyle = "rgb(255 255 255 / 0.6)";
  ctx.fillRect(0, 0, width, height);
  ctx.imageSmoothingEnabled = false;
  if (images.changed.naturalWidth) ctx.drawImage(images.changed, 0, 0, width, height);
}
