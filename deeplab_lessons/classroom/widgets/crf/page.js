// The CRF explorer's elements, without behaviour.

import { make, say, factList } from "../shared/common.js";

export function crfPage(words, ranges, presets) {
  const preset = make("select", { class: "dl-preset", "aria-label": words.preset });
  preset.append(
    ...["own", ...presets].map((name) => make("option", { value: name }, name === "own" ? words.own : name)),
  );
  const sliders = {};
  const box = make("div", { class: "dl-sliders dl-crf-sliders" });
  for (const [name, [min, max, step]] of Object.entries(ranges)) {
    const label = words[`label_${name}`];
    const slide = make("input", {
      class: `dl-slide-${name}`,
      type: "range",
      min,
      max,
      step,
      "aria-label": say(words, "slider_label", { number: label }),
    });
    const number = make("input", {
      class: `dl-number-${name}`,
      type: "number",
      min,
      max,
      step: "any",
      "aria-label": label,
    });
    sliders[name] = [slide, number];
    box.append(
      make(
        "div",
        { class: "dl-slider", title: label },
        make("span", {}, words[`name_${name}`]),
        slide,
        number,
      ),
    );
  }
  const status = make("p", { class: "dl-status", role: "alert" });
  const { facts, list } = factList(words, ["changed", "iou", "size", "delay"]);
  list.classList.add("dl-crf-facts");
  const canvases = {
    overlay: make("canvas", { class: "dl-overlay", role: "img", tabindex: 0 }),
    sure: make("canvas", { class: "dl-sure", role: "img", "aria-label": words.describe_sure }),
    changed: make("canvas", { class: "dl-changed", role: "img" }),
  };
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
  const title = (name, note) =>
    make(
      "p",
      { class: "dl-title" },
      make("strong", {}, words[`${name}_title`]),
      ...(note ? [make("small", {}, note)] : []),
    );
  const large = make("div", { class: "dl-crf-large" }, title("overlay"), canvases.overlay);
  large.append(make("div", { class: "dl-crf-wipe" }, line("wipe", wipe), line("opacity", opacity)));
  const small = (name, note) => make("div", {}, title(name, note), canvases[name]);
  const side = make("div", { class: "dl-crf-side" }, small("sure", words.sure_note), small("changed"));
  const bar = make(
    "div",
    { class: "dl-bar" },
    make("label", { class: "dl-group" }, make("span", {}, words.preset), preset),
  );
  const live = make("p", { class: "dl-live dl-hidden", "aria-live": "polite" });
  const probe = make("span", { class: "dl-probe", "aria-hidden": "true" });
  const attributes = {
    class: "dl-widget dl-crf-explorer",
    "aria-label": words.title,
    "data-lm-suppress-shortcuts": "true",
  };
  const pictures = make("div", { class: "dl-crf-pictures" }, large, side);
  const root = make(
    "section",
    attributes,
    bar,
    box,
    status,
    list,
    pictures,
    make("p", { class: "dl-notes" }, words.hint),
    live,
    probe,
  );
  return { root, preset, sliders, status, facts, canvases, large, side, wipe, opacity, live, probe };
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
