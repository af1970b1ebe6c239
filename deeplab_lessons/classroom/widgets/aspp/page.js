// The ASPP explorer's elements, without behaviour.

import { make, say } from "../shared/common.js";
import { widgetRoot, canvasOf, titleOf, tableOf } from "../shared/parts.js";

export const RATE = { min: 1, max: 40 };
const SHAPES = ["●", "■", "▲", "◆"];
export const SHOWN = ["field", "whole"];

export function asppPage(words, colours, presets) {
  const button = (name) =>
    make(
      "button",
      { type: "button", "aria-pressed": "false", title: words[`about_${name}`] },
      words[`name_${name}`],
    );
  const buttons = Object.fromEntries([...presets, ...SHOWN].map((name) => [name, button(name)]));
  const group = (title, ...parts) =>
    make("div", { class: "dl-group", role: "group", "aria-label": title }, make("span", {}, title), ...parts);
  const place = (name) =>
    make("input", {
      class: `dl-cell-${name}`,
      type: "number",
      min: 0,
      step: 1,
      "aria-label": words[`${name}_label`],
    });
  const cell = { row: place("row"), column: place("column") };
  const bar = make("div", { class: "dl-bar" });
  bar.append(group(words.presets, ...presets.map((name) => buttons[name])));
  bar.append(group(words.cell, words.row_short, cell.row, words.column_short, cell.column));
  bar.append(group(words.show, ...SHOWN.map((name) => buttons[name])));
  const canvas = canvasOf("taps", true);
  const note = make("small");
  const left = make("div", { class: "dl-aspp-picture" }, titleOf(words.picture_title, note), canvas);
  const { table, rows } = branchTable(words, colours);
  const said = make("p", { class: "dl-said" });
  const about = make("p", { class: "dl-about" });
  const legend = asppLegend(words);
  const formula = make("p", { class: "dl-formula" });
  const notes = make("div", { class: "dl-notes" }, formula, legend.list, make("p", {}, words.hint));
  const right = make("div", { class: "dl-aspp-branches" }, table, said, about, notes);
  const halves = make("div", { class: "dl-aspp-halves" }, left, right);
  return {
    ...widgetRoot(words, "aspp", bar, halves),
    buttons,
    cell,
    canvas,
    left,
    note,
    rows,
    said,
    about,
    formula,
    legend: legend.items,
  };
}

// One row for each branch there may be; rows without a branch stay hidden.
function branchTable(words, colours) {
  const body = make("tbody");
  const rows = colours.map((colour, i) => {
    const name = { branch: i + 1 };
    const shape = make(
      "i",
      { class: "dl-shape", style: `color: ${i === 0 ? "var(--dl-touched)" : colour}`, "aria-hidden": "true" },
      SHAPES[i],
    );
    const choose = make(
      "button",
      { type: "button", class: "dl-choose", "aria-label": say(words, "branch", name) },
      shape,
    );
    choose.append(make("span", { class: "dl-word" }, words.column_branch), ` ${i + 1}`);
    const slide = make("input", {
      class: "dl-slide",
      type: "range",
      step: 1,
      ...RATE,
      "aria-label": say(words, "slider_label", name),
    });
    const number = make("input", {
      class: "dl-rate",
      type: "number",
      step: 1,
      ...RATE,
      "aria-label": say(words, "dilation_label", name),
    });
    const values = Object.fromEntries(
      ["window", "field", "taps", "whole"].map((key) => [
        key,
        make("td", { class: "dl-number", "data-value": key }),
      ]),
    );
    const row = make(
      "tr",
      {},
      make("th", { scope: "row" }, choose),
      make("td", {}, make("div", { class: "dl-pair" }, slide, number)),
      ...Object.values(values),
    );
    body.append(row);
    return { row, choose, slide, number, values };
  });
  const names = ["branch", "dilation", "window", "field", "taps", "whole"];
  return { table: tableOf(words, words.table_label, names, body), rows };
}

function asppLegend(words) {
  const items = {};
  const list = make("ul", { class: "dl-legend" });
  for (const [name, sign] of Object.entries({ there: "●", outside: "○", cell: "▣", field: "", whole: "" })) {
    const text = make("span", {}, words[`legend_${name}`]);
    items[name] = make(
      "li",
      {},
      ...(sign ? [make("i", { class: "dl-sign", "aria-hidden": "true" }, sign)] : []),
      text,
    );
    list.append(items[name]);
  }
  return { list, items };
}
