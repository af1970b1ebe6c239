// The receptive field explorer. The model's traits are the one state: gestures change traits, changed
// traits redraw every view. Only a preview (hover), a hold and an impossible draft live in a single view.

import {
  Impossible,
  sides,
  receptiveFields,
  startOf,
  boxOf,
  pathsByRow,
  inside,
  pathCounts,
  touchedRange,
} from "../shared/arithmetic.js";
import {
  say,
  readable,
  clamp,
  commit,
  oncePerFrame,
  surface,
  readColours,
  markTheme,
  followPointer,
  followKeys,
  announce,
  refuse,
  write,
  follow,
  isPlace,
} from "../shared/common.js";
import { explain } from "../shared/explain.js";
import { writeFacts } from "../shared/parts.js";
import { photoAt, inputLayout, drawInput, drawOutput } from "../shared/planes.js";
import { sideLayout, drawSide } from "../shared/rows.js";
import { LARGEST, explorerPage } from "./page.js";
import { layerTable } from "./table.js";

function render({ model, el }) {
  const words = model.get("_words");
  const parts = explorerPage(words, model.get("_presets"));
  const view = { model, words, parts, image: new Image(), kept: {}, preview: null, draft: null, held: false };
  view.redraw = oncePerFrame(() => drawExplorer(view));
  view.table = layerTable(parts.editor, words, tableActions(view));
  view.image.onload = view.redraw;
  wireControls(view);
  wirePictures(view);
  el.append(parts.root);
  const traits = ["layers", "unit", "input_size", "preset", "_photo"];
  return follow(view, parts.root, model, traits);
}

// What is chosen: the stack in the model, and the unit under the pointer or else the model's.
function chosen({ model, preview }) {
  const [layers, size] = [model.get("layers"), model.get("input_size")];
  const fields = receptiveFields(layers, size);
  const unit = (preview ?? model.get("unit")).map((place) => clamp(place, 0, fields.at(-1).out - 1));
  return { layers, size, fields, unit };
}

function drawExplorer(view) {
  const { parts, words, kept, image, model } = view;
  const widths = [parts.side, parts.planes].map((box) => box.clientWidth);
  if (!widths[0]) return;
  markTheme(parts.root);
  if (image.src !== model.get("_photo")) image.src = model.get("_photo");
  const { layers, size, fields, unit } = chosen(view);
  const rows = pathsByRow(layers, unit[1], size);
  const across = inside(rows[0]);
  const down = unit[0] === unit[1] ? across : pathCounts(layers, unit[0], size);
  const colours = readColours(parts.probe);
  const scene = { layers, fields, rows, words, across, down, photo: photoAt(image, size, kept) };
  drawPictures(view, scene, unit, widths, colours);
  const facts = factsOf(scene, unit);
  showFacts(view, facts);
  describe(view, facts);
  updateControls(view, layers, fields, unit);
}

function drawPictures(view, scene, unit, [sideWidth, planesWidth], colours) {
  const { side, output, input } = view.parts.canvases;
  view.side = sideLayout(sideWidth, scene);
  drawSide(surface(side, sideWidth, view.side.height), view.side, { ...scene, unit: unit[1] }, colours);
  const small = Math.round(clamp(planesWidth * 0.32, 140, 190));
  const large = Math.round(clamp(planesWidth - small - 24, 140, 430));
  view.outputSide = small;
  drawOutput(surface(output, small, small), small, { ...scene, unit }, colours);
  view.input = inputLayout(large, scene.fields);
  drawInput(surface(input, large, large), view.input, { ...scene, unit }, colours);
}

// Everything the readout and the descriptions say, worked out once.
function factsOf({ layers, fields, down, across }, unit) {
  const field = fields.at(-1);
  const input = fields[0].out;
  const [[top, bottom], [left, right]] = unit.map((place) => boxOf(field, place));
  const seen = [down, across].map((counts) => counts.reduce((sum, paths) => sum + (paths > 0), 0));
  const within = [
    [top, bottom],
    [left, right],
  ].map(([a, b]) => Math.max(0, Math.min(b, input - 1) - Math.max(a, 0) + 1));
  const most = [down, across].map((counts) => counts.reduce((a, b) => Math.max(a, b), 0));
  return {
    layers: layers.length,
    input,
    out: field.out,
    size: field.size,
    jump: field.jump,
    start: startOf(field),
    row: unit[0],
    column: unit[1],
    top,
    bottom,
    left,
    right,
    reach: touchedRange(across),
    touched: seen[0] * seen[1],
    holes: within[0] * within[1] - seen[0] * seen[1],
    holesAcross: within[1] - seen[1],
    most: most[0] * most[1],
  };
}

function showFacts({ parts }, facts) {
  const { size, jump, start, out, touched, holes, most } = facts;
  const shown = {
    field: `${size} × ${size} px`,
    jump: `${jump} px`,
    start: String(start).replace("-", "−"),
    map: `${out} × ${out}`,
    touched: readable(touched),
    holes: readable(holes),
    most: readable(most),
  };
  writeFacts(parts.facts, shown);
}

function describe({ parts, words, preview }, facts) {
  const [first, last] = facts.reach ?? ["–", "–"];
  const side = { ...facts, unit: facts.column, first, last, holes: facts.holesAcross };
  const nothing = facts.reach && facts.touched ? "" : ` ${words.only_padding}`;
  parts.canvases.side.setAttribute("aria-label", say(words, "describe_side", side) + nothing);
  parts.canvases.output.setAttribute("aria-label", say(words, "describe_output", facts));
  parts.canvases.input.setAttribute("aria-label", say(words, "describe_input", facts) + nothing);
  const announcement = say(words, "changed", facts) + nothing;
  if (!preview) announce(parts.live, announcement);
}

// Controls show the draft while it is impossible, the model otherwise.
function updateControls(view, layers, fields, unit) {
  const { parts, model, words, draft } = view;
  const size = draft?.wanted.input_size ?? model.get("input_size");
  parts.preset.value = model.get("preset");
  write(parts.size, String(size));
  parts.units.forEach((field, axis) => {
    field.max = fields.at(-1).out - 1;
    write(field, String(unit[axis]));
  });
  parts.hold.setAttribute("aria-pressed", String(view.held));
  parts.outputNote.textContent = say(words, "output_note", { out: fields.at(-1).out });
  parts.inputNote.textContent = say(words, "input_note", { size: fields[0].out });
  const text = draft ? `${draft.text} ${words.kept}` : "";
  refuse(parts, text);
  parts.size.setAttribute("aria-invalid", String(Boolean(draft) && draft.place < 0));
  view.table(draft?.wanted.layers ?? layers, draft ? null : fields, draft?.place ?? -1);
}

// Try a changed stack: send it if it works, else keep it here as a draft and say why it does not.
function attempt(view, changes, preset = "own") {
  const { model, words, draft } = view;
  const now = { layers: model.get("layers"), input_size: model.get("input_size") };
  const wanted = { ...now, ...draft?.wanted, ...changes };
  view.redraw();
  try {
    const out = checkStack(wanted);
    const unit = changes.unit ?? model.get("unit");
    view.draft = null;
    commit(model, { ...wanted, preset, unit: unit.map((place) => clamp(place, 0, out - 1)) });
  } catch (error) {
    const text = explain(words, error);
    view.draft = { wanted, text, place: wanted.layers.findIndex(({ name }) => name === error.values.layer) };
  }
}

function checkStack({ layers, input_size: size }) {
  if (size > LARGEST) throw new Impossible("too_large", { most: LARGEST });
  return receptiveFields(layers, size).at(-1).out;
}

function tableActions(view) {
  const now = () => view.draft?.wanted.layers ?? view.model.get("layers");
  const edit = (place, changes) =>
    attempt(view, { layers: now().map((layer, i) => (i === place ? { ...layer, ...changes } : layer)) });
  const move = (place, by) => {
    const layers = [...now()];
    layers.splice(place + by, 0, ...layers.splice(place, 1));
    attempt(view, { layers });
    focusButton(view, place + by, by < 0 ? "up" : "down");
  };
  return {
    edit,
    up: (place) => move(place, -1),
    down: (place) => move(place, 1),
    toggleSame: (place) =>
      edit(place, { padding: now()[place].padding === "same" ? sides(now()[place])[0] : "same" }),
    remove: (place) => {
      attempt(view, { layers: now().filter((_, i) => i !== place) });
      focusButton(view, Math.min(place, now().length - 1), "remove");
    },
  };
}

// After a layer has moved or gone, the keyboard's focus goes with it.
function focusButton({ parts }, place, kind) {
  requestAnimationFrame(() => {
    const line = parts.editor.querySelectorAll("tr.dl-layer")[place];
    (line?.querySelector(`.dl-${kind}`) ?? parts.add).focus();
  });
}

function wireControls(view) {
  const { parts, model, words } = view;
  const choose = (key) => {
    const preset = model.get("_presets")[key];
    if (!preset) return;
    view.draft = view.preview = null;
    const middle = Math.floor((checkStack(preset) - 1) / 2);
    attempt(view, { layers: preset.layers, input_size: preset.input_size, unit: [middle, middle] }, key);
    parts.restore.dataset.preset = key;
  };
  parts.restore.dataset.preset = model.get("preset");
  parts.preset.addEventListener("change", () => choose(parts.preset.value));
  parts.restore.addEventListener("click", () => choose(parts.restore.dataset.preset));
  parts.size.addEventListener("input", () => {
    if (parts.size.value !== "") attempt(view, { input_size: Number(parts.size.value) }, model.get("preset"));
  });
  parts.units.forEach((field) =>
    field.addEventListener("input", () =>
      keepUnit(
        view,
        parts.units.map((one) => Math.trunc(Number(one.value) || 0)),
      ),
    ),
  );
  parts.hold.addEventListener("click", () => {
    view.held = !view.held;
    view.redraw();
  });
  parts.add.addEventListener("click", () => {
    const layers = view.draft?.wanted.layers ?? model.get("layers");
    attempt(view, { layers: [...layers, newLayer(layers, words)] });
  });
}

function newLayer(layers, words) {
  let place = layers.length + 1;
  const taken = new Set(layers.map((layer) => layer.name));
  while (taken.has(say(words, "new_name", { place }))) place++;
  return { name: say(words, "new_name", { place }), kernel_size: 3, stride: 1, padding: "same", dilation: 1 };
}

function keepUnit(view, unit) {
  const out = chosen(view).fields.at(-1).out;
  view.preview = null;
  commit(view.model, { unit: unit.map((place) => clamp(place, 0, out - 1)) });
  view.redraw();
}

// Each picture turns a point into an output unit; the rest is the same for all three.
function wirePictures(view) {
  const nearest = (view_, position) => {
    const field = view_.fields.at(-1);
    return clamp(Math.round((position - startOf(field)) / field.jump), 0, field.out - 1);
  };
  const unitAt = {
    side: ({ x }, now) => {
      const last = now.layers.length;
      const column = Math.round((x - view.side.centre(last, 0)) / view.side.step(last));
      return [now.unit[0], clamp(column, 0, now.fields.at(-1).out - 1)];
    },
    output: ({ x, y }, now) => {
      const out = now.fields.at(-1).out;
      return [y, x].map((at) => clamp(Math.floor((at / view.outputSide) * out), 0, out - 1));
    },
    input: ({ x, y }, now) =>
      [y, x].map((at) => nearest(now, at / view.input.pixel - view.input.margin - 0.5)),
  };
  for (const [name, canvas] of Object.entries(view.parts.canvases)) {
    wirePicture(view, canvas, (point) => unitAt[name](point, chosen(view)));
  }
}

function wirePicture(view, canvas, unitAt) {
  let pressed = false;
  const show = (unit) => {
    if (String(unit) === String(view.preview)) return;
    view.preview = unit;
    view.redraw();
  };
  followPointer(canvas, {
    press: () => (pressed = true),
    preview: (point) => (pressed || !view.held) && view.side && show(unitAt(point)),
    keep: (point) => {
      if (!pressed) return;
      pressed = false;
      const unit = unitAt(point);
      view.held = !(view.held && String(unit) === String(view.model.get("unit")));
      keepUnit(view, unit);
    },
    leave: () => {
      pressed = false;
      show(null);
    },
  });
  followKeys(canvas, ([rows, columns]) => {
    const [row, column] = view.model.get("unit");
    keepUnit(view, [row + rows, column + columns]);
  });
}

// Whether the address of a page may ask for this state.
function accepts({ layers, input_size: size, unit, preset, _presets: presets }) {
  const named = preset === "own" || JSON.stringify(layers) === JSON.stringify(presets[preset].layers);
  const drawable = layers.every((layer) =>
    [layer.kernel_size, ...sides(layer)].every((cells) => cells <= LARGEST),
  );
  const out = checkStack({ layers, input_size: size });
  return named && drawable && isPlace(unit, [out, out]);
}

export default { render, accepts };
