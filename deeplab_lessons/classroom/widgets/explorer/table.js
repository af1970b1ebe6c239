// The editor: one line per layer with its four numbers, and what the arithmetic says of it.

import { LEAST, startOf } from "../shared/arithmetic.js";
import { make, say, write } from "../shared/common.js";
import { tableOf } from "../shared/parts.js";

const EDITED = ["kernel_size", "stride", "dilation"];
const COLUMNS = [
  "layer",
  "kernel",
  "stride",
  "dilation",
  "padding",
  "map",
  "jump",
  "field",
  "start",
  "change",
];

// Builds the table in `host`. `actions` has edit(place, changes), move(place, by), remove(place).
// Returns update(layers, fields, wrong): `fields` may be null while the stack is impossible.
export function layerTable(host, words, actions) {
  const body = make("tbody");
  const table = tableOf(words, words.layers, COLUMNS, body);
  const change = table.querySelector("th:last-child");
  change.replaceChildren(make("span", { class: "dl-hidden" }, words.column_change));
  host.append(table);
  const input = inputLine(words);
  const lines = [];
  body.append(input.line);
  return (layers, fields, wrong) => {
    // Lines that stay keep their elements, and with them the keyboard's focus.
    for (const { line } of lines.splice(layers.length)) line.remove();
    while (lines.length < layers.length) {
      lines.push(layerLine(lines.length, words, actions));
      body.append(lines.at(-1).line);
    }
    writeAnswers(input.answers, fields?.[0]);
    layers.forEach((layer, place) => {
      const last = place === layers.length - 1;
      updateLine(lines[place], layer, {
        place,
        last,
        field: fields?.[place + 1],
        wrong: wrong === place,
        words,
      });
    });
  };
}

function answerCells() {
  return ["map", "jump", "field", "start"].map((name) => make("td", { class: `dl-number dl-${name}` }));
}

function inputLine(words) {
  const answers = answerCells();
  const name = make("th", { scope: "row" }, words.input_row);
  return {
    answers,
    line: make("tr", { class: "dl-input-line" }, name, make("td", { colspan: 4 }), ...answers, make("td")),
  };
}

function layerLine(place, words, actions) {
  const name = make("th", { scope: "row" });
  const numbers = EDITED.map((key) => numberField(key, (value) => actions.edit(place, { [key]: value })));
  const padding = make("input", { class: "dl-padding", type: "text", inputmode: "numeric", size: 4 });
  padding.addEventListener("change", () => actions.edit(place, { padding: readPadding(padding.value) }));
  const same = make("button", { class: "dl-same", type: "button" }, words.same);
  same.addEventListener("click", () => actions.toggleSame(place));
  const buttons = { up: "↑", down: "↓", remove: "✕" };
  const made = Object.entries(buttons).map(([kind, sign]) => {
    const button = make("button", { class: `dl-${kind}`, type: "button" }, sign);
    button.addEventListener("click", () => button.ariaDisabled !== "true" && actions[kind](place));
    return button;
  });
  const answers = answerCells();
  const cells = [...numbers, make("div", { class: "dl-pair" }, padding, same)].map((node) =>
    make("td", {}, node),
  );
  const change = make("td", {}, make("div", { class: "dl-pair" }, ...made));
  const line = make("tr", { class: "dl-layer" }, name, ...cells, ...answers, change);
  return { line, name, numbers, padding, same, buttons: made, answers };
}

function numberField(key, edit) {
  const field = make("input", {
    class: `dl-${key.replace("_size", "")}`,
    type: "number",
    min: LEAST[key],
    step: 1,
  });
  field.addEventListener("input", () => field.value !== "" && edit(Number(field.value)));
  return field;
}

// "same", a number, or a pair "1, 2"; anything else is left for the check to refuse.
function readPadding(text) {
  const parts = text.trim().split(/[\s,;]+/);
  if (parts.length === 1)
    return parts[0] !== "" && Number.isFinite(Number(parts[0])) ? Number(parts[0]) : parts[0];
  return parts.map(Number);
}

function updateLine(line, layer, { place, last, field, wrong, words }) {
  const named = { layer: layer.name };
  line.name.textContent = layer.name;
  line.line.classList.toggle("dl-wrong", wrong);
  line.numbers.forEach((input, i) => write(input, String(layer[EDITED[i]])));
  write(line.padding, Array.isArray(layer.padding) ? layer.padding.join(", ") : String(layer.padding));
  line.same.setAttribute("aria-pressed", String(layer.padding === "same"));
  line.same.setAttribute("aria-label", say(words, "same_label", named));
  [...EDITED, "padding"].forEach((key, i) => {
    const input = line.numbers[i] ?? line.padding;
    input.setAttribute("aria-label", say(words, "control_label", { number: words[key], ...named }));
    input.setAttribute("aria-invalid", String(wrong));
  });
  ["up", "down", "remove"].forEach((kind, i) => {
    const label = say(words, kind, named);
    line.buttons[i].setAttribute("aria-label", label);
    line.buttons[i].title = label;
  });
  // Not `disabled`, which would take the focus from a button that has just moved its layer to the end.
  line.buttons[0].ariaDisabled = String(place === 0);
  line.buttons[1].ariaDisabled = String(last);
  writeAnswers(line.answers, field);
}

function writeAnswers(cells, field) {
  const answers = field ? [field.out, field.jump, field.size, startOf(field)] : ["–", "–", "–", "–"];
  cells.forEach((cell, i) => (cell.textContent = String(answers[i]).replace("-", "−")));
}
