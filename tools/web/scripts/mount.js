// The site's widgets: every `.dl-mount` comes alive in a shadow root, without Python. A classic script, because a page
// that is opened from a file can load neither modules nor data.

import { modelOf, widgetFrom } from "../../../deeplab_lessons/classroom/widgets/shared/model.js";
import { addressOf } from "./address.js";

const WORDS = {
  failed: "This part could not be started here. It works in JupyterLab.",
  copy: "Copy the link to this state",
  copied: "Copied. The link opens this page as you see it now.",
  not_copied: "Copy the address of this page: it holds the state that you see now.",
  broken: "The address asks for a state that cannot be, so this page shows the one it begins with.",
};
const PAUSE = 200; // ms without a change until the address follows, because browsers count such changes

const here = document.currentScript.src;
const arrivals = new Map();

window.DeepLabWidgets = {
  // Called by a widget's own script, w/FOLDER.js.
  define: (folder, esm, css) => arrivals.get(folder).arrived({ widget: widgetFrom(esm), css }),
};

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// A widget's module and style sheet, loaded once.
function load(folder) {
  if (!arrivals.has(folder)) {
    const arrival = {};
    arrival.module = new Promise((arrived, refused) => {
      arrival.arrived = arrived;
      const onerror = () => refused(new Error(`${folder}.js is missing`));
      document.head.append(element("script", { src: new URL(`w/${folder}.js`, here), onerror }));
    });
    arrivals.set(folder, arrival);
  }
  return arrivals.get(folder).module;
}

const mounted = new Map();

function mount(box) {
  if (!mounted.has(box)) mounted.set(box, start(box));
  return mounted.get(box);
}

async function start(box) {
  const state = JSON.parse(box.querySelector("script").textContent);
  const root = box.attachShadow({ mode: "open" });
  try {
    const { widget: coming, css } = await load(box.dataset.module);
    const widget = await coming;
    const model = modelOf({ ...state });
    if (box.dataset.share && widget.accepts) share(box, state, model, widget);
    const el = element("div", {});
    root.append(element("style", { textContent: css }), el);
    await widget.render({ model, el });
    box.dataset.ready = "";
  } catch (error) {
    root.replaceChildren(element("p", { textContent: WORDS.failed }));
    throw error;
  }
}

// ---------------------------------------------------------------- the state in the page's address

function share(box, state, model, widget) {
  const names = box.dataset.share.split(" ");
  const address = addressOf(state, names, widget.accepts);
  const said = element("span", { role: "status" });
  const copy = element("button", { type: "button", textContent: WORDS.copy, className: "dl-copy" });
  const follow = () => {
    // A heading's anchor is none of ours.
    if (location.hash && !location.hash.includes("=")) return;
    const asked = address.read(location.hash.slice(1));
    for (const name of names) model.set(name, (asked ?? state)[name]);
    said.textContent = asked ? "" : WORDS.broken;
  };
  const write = () => {
    const text = address.write(Object.fromEntries(names.map((name) => [name, model.get(name)])));
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  };
  let timer;
  follow();
  addEventListener("hashchange", follow);
  model.on("change", () => {
    clearTimeout(timer);
    said.textContent = "";
    timer = setTimeout(write, PAUSE);
  });
  copy.onclick = async () => {
    clearTimeout(timer);
    write();
    try {
      await navigator.clipboard.writeText(location.href);
      said.textContent = WORDS.copied;
    } catch {
      said.textContent = WORDS.not_copied;
    }
  };
  box.before(element("p", { className: "dl-share" }, copy, " ", said));
}

// ---------------------------------------------------------------- the page around the widgets

// The theme's choice is on <body>; the widgets take the page's colour scheme.
function passTheme() {
  const { theme } = document.body.dataset;
  document.documentElement.style.colorScheme = ["light", "dark"].includes(theme) ? theme : "light dark";
}

// A canvas is redrawn only in the next frame, for which no printer waits: print stills of them.
const stills = [];

function showStills() {
  for (const box of mounted.keys()) {
    for (const canvas of box.shadowRoot.querySelectorAll("canvas")) {
      if (!canvas.clientWidth) continue;
      const still = element("img", { src: canvas.toDataURL(), alt: canvas.ariaLabel ?? "" });
      still.style.cssText = `display: block; width: ${canvas.clientWidth}px; max-width: 100%`;
      canvas.after(still);
      canvas.style.setProperty("display", "none", "important");
      stills.push([canvas, still]);
    }
  }
}

function hideStills() {
  for (const [canvas, still] of stills.splice(0)) {
    still.remove();
    canvas.style.removeProperty("display");
  }
}

// First what is near the reader, then, while the page is idle, the others: they are printed, and found by scrolling.
async function begin() {
  passTheme();
  new MutationObserver(passTheme).observe(document.body, {
    attributes: true,
    attributeFilter: ["data-theme"],
  });
  addEventListener("beforeprint", showStills);
  addEventListener("afterprint", hideStills);
  const boxes = [...document.querySelectorAll(".dl-mount")];
  const near = new IntersectionObserver(
    (entries) => entries.forEach(({ isIntersecting, target }) => isIntersecting && mount(target)),
    { rootMargin: "800px" },
  );
  boxes.forEach((box) => near.observe(box));
  const idle = () => new Promise((done) => (window.requestIdleCallback ?? setTimeout)(done));
  for (const box of boxes) {
    await idle();
    await mount(box).catch(() => {});
  }
}

if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
else begin();
