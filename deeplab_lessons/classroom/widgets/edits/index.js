// The edits explorer. Traits are the one state; the patches come from Python, and both sides apply them alike.

import { Impossible, receptiveFields, startOf, boxOf, pathCounts } from "../shared/arithmetic.js";
import {
  say,
  clamp,
  commit,
  oncePerFrame,
  surface,
  readColours,
  markTheme,
  followPointer,
  followKeys,
  setText,
  announce,
  write,
  follow,
  isWhole,
  isPlace,
} from "../shared/common.js";
import { explain } from "../shared/explain.js";
import { writeFacts } from "../shared/parts.js";
import { photoAt, inputLayout, drawInput, drawOutput } from "../shared/planes.js";
import { SWITCHES, editsPage, drawProfile, editTable, billions } from "./page.js";

const OUT_OF_RANGE = "edit_size"; // the word for a picture that is too small or too large
const PICTURE_SIZES = [224, 640]; // pixels per side, as in Python
const PROFILE_HEIGHT = 208;
const TRAITS = [...SWITCHES, "fc6", "input_size", "unit"];

function render({ model, el }) {
  const words = model.get("_words");
  const parts = editsPage(words, model.get("_choices"));
  const view = { model, words, parts, image: new Image(), kept: {}, preview: null, refusal: "" };
  view.redraw = oncePerFrame(() => drawEdits(view));
  view.image.onload = view.redraw;
  wireEdits(view);
  wirePlanes(view);
  el.append(parts.root);
  return follow(view, parts.root, model, [...TRAITS, "_photo"]);
}

function switchesOf(model) {
  return Object.fromEntries([...SWITCHES, "fc6"].map((name) => [name, model.get(name)]));
}

// The stack after those patches that the switches ask for, as in Python.
function editedStack(base, patches, switches) {
  const after = new Map(base.map((layer) => [layer.name, { ...layer }]));
  for (const { when, layer, changes } of patches) {
    if (Object.entries(when).every(([name, value]) => switches[name] === value))
      Object.assign(after.get(layer), changes);
  }
  return [...after.values()];
}

// Parameters and multiply-adds of each layer; pools have none.
function costsOf(layers, fields) {
  let channels = 3;
  return layers.map((layer, i) => {
    const weights = layer.pool ? 0 : layer.kernel_size ** 2 * channels * layer.channels;
    channels = layer.channels;
    return { parameters: layer.pool ? 0 : weights + layer.channels, work: weights * fields[i + 1].out ** 2 };
  });
}

function worked(model, switches, size) {
  const layers = editedStack(model.get("_base"), model.get("_patches"), switches);
  const fields = receptiveFields(layers, size);
  return { layers, fields, costs: costsOf(layers, fields) };
}

function chosenEdits({ model, preview }) {
  const size = model.get("input_size");
  const found = worked(model, switchesOf(model), size);
  const nothing = Object.fromEntries(SWITCHES.map((name) => [name, false]));
  const plain = worked(model, { ...nothing, fc6: "7x7" }, size);
  const last = found.fields.at(-1).out - 1;
  const unit = (preview ?? model.get("unit")).map((place) => clamp(place, 0, last));
  return { ...found, plain, size, unit };
}

function drawEdits(view) {
  const { parts, model, image, kept } = view;
  const [profileWidth, planesWidth] = [parts.profileBox.clientWidth, parts.planes.clientWidth];
  if (!profileWidth) return;
  markTheme(parts.root);
  if (image.src !== model.get("_photo")) image.src = model.get("_photo");
  const now = chosenEdits(view);
  const colours = readColours(parts.probe);
  const small = Math.round(clamp(planesWidth * 0.36, 140, 180));
  const large = Math.round(clamp(planesWidth - small - 24, 140, 260));
  const [down, across] = now.unit.map((place) => pathCounts(now.layers, place, now.size));
  const scene = { ...now, down, across, photo: photoAt(image, now.size, kept) };
  const profile = surface(parts.canvases.profile, profileWidth, PROFILE_HEIGHT);
  drawProfile(profile, profileWidth, PROFILE_HEIGHT, now, colours);
  view.outputSide = small;
  drawOutput(surface(parts.canvases.output, small, small), small, scene, colours);
  view.input = inputLayout(large, now.fields);
  drawInput(surface(parts.canvases.input, large, large), view.input, scene, colours);
  editTable(parts.body, view.words, now);
  // Where the table is wider than its box, the arrow keys move it.
  parts.editor.tabIndex = parts.editor.scrollWidth > parts.editor.clientWidth ? 0 : -1;
  writeEdits(view, now);
}

function writeEdits(view, now) {
  const { parts, words, model } = view;
  const field = now.fields.at(-1);
  const [[top, bottom], [left, right]] = now.unit.map((place) => boxOf(field, place));
  const sum = (key) => now.costs.reduce((all, cost) => all + cost[key], 0);
  const exact = sum("parameters").toLocaleString("en");
  const values = {
    stride: field.jump,
    out: field.out,
    size: field.size,
    parameters: exact,
    work: `${billions(sum("work"))} × 10⁹`,
  };
  const [row, column] = now.unit;
  const shown = {
    stride: `${field.jump} px`,
    map: `${field.out} × ${field.out}`,
    field: `${field.size} × ${field.size} px`,
    parameters: exact,
    work: values.work,
  };
  writeFacts(parts.facts, shown);
  parts.notes.output.textContent = say(words, "output_note", values);
  parts.notes.input.textContent = say(words, "input_note", { size: now.size });
  const place = { ...values, row, column, input: now.size, top, bottom, left, right };
  parts.canvases.profile.setAttribute(
    "aria-label",
    say(words, "describe_profile", { layers: now.layers.length, out: field.out }),
  );
  parts.canvases.output.setAttribute("aria-label", say(words, "describe_output", place));
  parts.canvases.input.setAttribute("aria-label", say(words, "describe_edit_input", place));
  for (const name of SWITCHES) parts.ticks[name].checked = model.get(name);
  parts.fc6.value = model.get("fc6");
  if (!view.refusal) write(parts.size, String(now.size));
  setText(parts.status, view.refusal);
  const announcement = say(words, "edited", place);
  if (!view.preview) announce(parts.live, announcement);
}

// Try changed switches or another size: send them if the stack works, else say why it does not.
function attemptEdit(view, changes) {
  const { model, words } = view;
  view.redraw();
  try {
    const size = changes.input_size ?? model.get("input_size");
    if (!(size >= PICTURE_SIZES[0] && size <= PICTURE_SIZES[1])) throw new Impossible(OUT_OF_RANGE);
    const { fields } = worked(model, { ...switchesOf(model), ...changes }, size);
    const last = fields.at(-1).out - 1;
    view.refusal = "";
    commit(model, { ...changes, unit: model.get("unit").map((place) => clamp(place, 0, last)) });
  } catch (error) {
    const why = explain(words, error).replace(/^F(?=c\d)/, "f");
    view.refusal = say(words, "refused", { why });
  }
}

function wireEdits(view) {
  const { parts } = view;
  for (const name of SWITCHES) {
    parts.ticks[name].addEventListener("change", () =>
      attemptEdit(view, { [name]: parts.ticks[name].checked }),
    );
  }
  parts.fc6.addEventListener("change", () => attemptEdit(view, { fc6: parts.fc6.value }));
  parts.size.addEventListener(
    "input",
    () => parts.size.value !== "" && attemptEdit(view, { input_size: Number(parts.size.value) }),
  );
  const set = (on, fc6) =>
    attemptEdit(view, { ...Object.fromEntries(SWITCHES.map((name) => [name, on])), fc6 });
  parts.all.addEventListener("click", () => set(true, "3x3"));
  parts.none.addEventListener("click", () => set(false, "7x7"));
}

function wirePlanes(view) {
  const { output, input } = view.parts.canvases;
  const keep = (unit) => {
    const last = chosenEdits(view).fields.at(-1).out - 1;
    view.preview = null;
    commit(view.model, { unit: unit.map((place) => clamp(place, 0, last)) });
    view.redraw();
  };
  const onMap = ({ x, y }) => {
    const { out } = chosenEdits(view).fields.at(-1);
    return [y, x].map((at) => clamp(Math.floor((at / view.outputSide) * out), 0, out - 1));
  };
  const onPicture = ({ x, y }) => {
    const field = chosenEdits(view).fields.at(-1);
    const nearest = (at) =>
      Math.round((at / view.input.pixel - view.input.margin - 0.5 - startOf(field)) / field.jump);
    return [y, x].map((at) => clamp(nearest(at), 0, field.out - 1));
  };
  for (const [canvas, unitAt] of [
    [output, onMap],
    [input, onPicture],
  ]) {
    followPointer(canvas, {
      press: () => {},
      preview: (point) => {
        const unit = view.outputSide && unitAt(point);
        if (!unit || String(unit) === String(view.preview)) return;
        view.preview = unit;
        view.redraw();
      },
      keep: (point) => keep(unitAt(point)),
      leave: () => {
        view.preview = null;
        view.redraw();
      },
    });
  }
  followKeys(output, ([rows, columns]) => {
    const [row, column] = view.model.get("unit");
    keep([row + rows, column + columns]);
  });
}

// Whether the address of a page may ask for this state.
function accepts(state) {
  const { unit, fc6, input_size: size, _choices: choices } = state;
  const out = worked({ get: (name) => state[name] }, state, size).fields.at(-1).out;
  return choices.includes(fc6) && isWhole(size, ...PICTURE_SIZES) && isPlace(unit, [out, out]);
}

export default { render, accepts };
