// The reader's own photograph: a list, a button that sends a file, three panels and their legend. Python computes.

import { make, say, commit, listen, oncePerFrame, markTheme, follow, announce } from "../shared/common.js";
import { widgetRoot, titleOf } from "../shared/parts.js";
import { patienceOf } from "../shared/patience.js";
import { uploadParts, tell } from "./upload.js";

const PANELS = ["photograph", "classes", "confidence"];

function render({ model, el }) {
  const words = model.get("_words");
  const alone = !model.widget_manager; // Jupyter has one; a page of our own has not, and no Python either
  const view = { model, words, alone, asked: null, parts: photoPage(words, model.get("_names")) };
  view.redraw = oncePerFrame(() => drawPhoto(view));
  const { list, bar, root, legend } = view.parts;
  const upload = uploadParts(view);
  bar.append(...upload.controls);
  legend.before(view.told, view.refused);
  list.addEventListener("change", () => choose(view, list.value));
  const stop = listen(model, ["_shown"], () => {
    clearTimeout(view.choosing);
    view.asked = null;
    if (!view.sent) tell(view);
  });
  el.append(root);
  const close = follow(view, root, model, ["_shown"]);
  return () => {
    clearTimeout(view.choosing);
    upload.close();
    stop();
    close();
  };
}

function photoPage(words, names) {
  const own = make("option", { value: "", disabled: "" }, words.own); // shown, but not to be chosen
  const options = names.map((name) => make("option", { value: name }, name));
  const list = make("select", { "aria-label": words.name }, ...options, own);
  const bar = make(
    "div",
    { class: "dl-bar" },
    make("label", { class: "dl-group" }, make("span", {}, words.name), list),
  );
  const images = PANELS.map((name) => make("img", { alt: words[`${name}_alt`] }));
  const titles = PANELS.map((name) => titleOf(words[`${name}_title`]));
  const panels = make("div", { class: "dl-photo-panels" });
  images.forEach((image, i) => panels.append(make("div", {}, titles[i], image)));
  const legend = make("ul", { class: "dl-legend" });
  const note = make("p", { class: "dl-notes" }, words.note);
  return { ...widgetRoot(words, "own-photo", bar, panels, legend, note), list, bar, images, legend };
}

// Without an answer the list goes back to what is shown.
function choose(view, name) {
  clearTimeout(view.choosing);
  const giveUp = (key) => {
    view.asked = null;
    view.redraw();
    tell(view, key, { name });
  };
  if (view.alone) return giveUp("alone");
  view.asked = name;
  tell(view, "looking", { name });
  view.choosing = setTimeout(() => giveUp("silent"), patienceOf(view.parts.root));
  return commit(view.model, { name });
}

function drawPhoto({ model, words, parts, asked }) {
  markTheme(parts.root);
  const { name, panels, legend } = model.get("_shown");
  const caption = model.get("caption");
  parts.list.value = asked ?? name;
  parts.images.forEach((image, i) => (image.src = panels[i]));
  parts.images[1].alt = say(words, "classes_alt", { caption });
  const lines = legend.map(([text, colour]) => {
    const key = make("span", { class: "dl-key", style: colour && `background: ${colour}` });
    return make("li", {}, key, text);
  });
  parts.legend.replaceChildren(...lines);
  announce(parts.live, caption);
}

export default { render };
