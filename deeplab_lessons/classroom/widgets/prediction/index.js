// A question, the reader's prediction, and after "Commit" the computed answer. All of it is in the state: no kernel.

import { keepKeys } from "../shared/keys.js";

function node(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const fill = (phrase, values) => phrase.replace(/\{(\w+)\}/g, (gap, name) => values[name]);
const one = (unit) => unit.replace(/^vertices$/, "vertex").replace(/^(\w+?)(?:(?<=ch)es|s)\b/, "$1");
const twoReadings = (text) => /^-?[1-9]\d{0,2},\d{3}(?![\d,])/.test(text);

// Also 1/2, 1,5, 16 384, 1,048,576, 50% and 12 cells; NaN for anything else.
function parse(text, unit) {
  let plain = text.replace("\u2212", "-");
  if (unit && plain.endsWith(unit)) plain = plain.slice(0, -unit.length).trim();
  plain = plain.replace(/(\d)[\s_](?=\d{3}(?!\d))/g, "$1");
  if (/^-?\d{1,3}(,\d{3}){2,}$/.test(plain)) plain = plain.replaceAll(",", "");
  if (!twoReadings(plain)) plain = plain.replace(/^(-?\d*),(\d+)$/, "$1.$2");
  const parts = plain.split("/").map((part) => part.trim());
  const decimals = parts.every((part) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(part));
  const value = parts[0] / (parts[1] ?? 1);
  return decimals && parts.length < 3 && Number.isFinite(value) ? value : NaN;
}

// Each form is drawn in `body`, read (an answer, or a problem in words) and set to the committed answer.
const FORMS = {
  number({ unit, words }) {
    const ariaLabel = fill(unit ? words.number_of : words.number, { unit });
    const input = node("input", { type: "text", inputMode: "decimal", ariaLabel });
    return {
      body: node("p", {}, input, ` ${unit}`),
      read() {
        const text = input.value.trim();
        const answer = parse(text, unit);
        const wrong = Number.isNaN(answer);
        input.ariaInvalid = String(wrong);
        return wrong ? { problem: twoReadings(text) ? words.two_readings : words.no_number } : { answer };
      },
      set(answer) {
        input.value ||= String(answer);
        input.readOnly = true;
      },
    };
  },

  choice({ options, words }) {
    // Several predictions share a page.
    const name = `dl-${Math.random()}`;
    const buttons = options.map((value) => node("input", { type: "radio", name, value }));
    return {
      body: node("p", {}, ...buttons.map((button) => node("label", {}, button, ` ${button.value}`))),
      read() {
        const chosen = buttons.find((button) => button.checked);
        return chosen ? { answer: chosen.value } : { problem: words.none_chosen };
      },
      set: (answer) =>
        buttons.forEach((button) => (button.disabled = !(button.checked = button.value === answer))),
    };
  },

  order({ options, words, said }) {
    const rows = options.map((item) => {
      const mover = (textContent, name, move) => {
        const onclick = () => {
          move();
          const place = read().answer.indexOf(item) + 1;
          said.textContent = fill(words.moved, { item, place, count: options.length });
        };
        return node("button", { textContent, ariaLabel: fill(name, { item }), onclick });
      };
      // The neighbour moves past the row, which keeps the focus.
      const up = mover(words.up, words.move_up, () => row.previousSibling && row.after(row.previousSibling));
      const down = mover(words.down, words.move_down, () => row.nextSibling && row.before(row.nextSibling));
      const row = node("li", {}, node("span", {}, item), up, down);
      return row;
    });
    const list = node("ol", {}, ...rows);
    const read = () => ({ answer: [...list.children].map((row) => row.firstChild.textContent) });
    const set = (answer) => list.replaceChildren(...answer.map((item) => node("li", {}, item)));
    return { body: list, read, set };
  },
};

function render({ model, el }) {
  const [kind, unit, words] = [model.get("kind"), model.get("unit"), model.get("_words")];
  const said = node("div", { role: "status" });
  const form = FORMS[kind]({ unit, options: model.get("options"), words, said });
  const button = node("button", { textContent: words.commit });
  const legend = node("legend", {}, node("b", {}, words.predict), ` ${model.get("question")}`);
  const root = node(
    "div",
    { className: "dl-predict" },
    node("fieldset", {}, legend, form.body, button),
    said,
  );

  const same = (a, b) =>
    kind === "number"
      ? Math.abs(a - b) <= model.get("tolerance") + 1e-9 * Math.abs(b)
      : String(a) === String(b);
  const shown = (answer) => {
    if (kind !== "number") return [answer].flat().join("; ");
    const digits = Number.isInteger(answer) ? {} : { maximumSignificantDigits: 4 };
    const gap = unit === "%" ? "" : " ";
    return `${answer.toLocaleString("en", digits)}${gap}${answer === 1 ? one(unit) : unit}`.trim();
  };
  const commit = () => {
    if (model.get("committed") !== null) return;
    const { answer, problem } = form.read();
    if (problem) return (said.textContent = problem);
    // The other controls close.
    button.focus();
    model.set("committed", answer);
    model.save_changes();
  };
  const reveal = () => {
    const [mine, answer] = [model.get("committed"), model.get("answer")];
    if (mine === null) return;
    form.set(mine);
    button.textContent = words.committed;
    button.ariaDisabled = "true";
    const right = same(mine, answer);
    const slip = right ? null : model.get("slips").find(([wrong]) => same(mine, wrong));
    const own = `${right ? words.right : words.wrong} ${fill(words.yours, { answer: shown(mine) })}`;
    const sentences = [own, fill(words.computed, { answer: shown(answer) }), ...(slip ? [slip[1]] : [])];
    said.className = right ? "dl-right" : "dl-wrong";
    said.replaceChildren(...sentences.map((text) => node("p", {}, text)));
  };

  button.onclick = commit;
  root.onkeydown = ({ key, shiftKey, target }) => {
    if (key === "Enter" && !shiftKey && target.tagName === "INPUT") commit();
  };
  keepKeys(root);
  reveal();
  model.on("change:committed", reveal);
  el.append(root);
  return () => {
    model.off("change:committed", reveal);
    root.remove();
  };
}

export default { render };
