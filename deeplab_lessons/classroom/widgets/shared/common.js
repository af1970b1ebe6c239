// What all widgets need: elements, words, crisp canvases, colours, gestures, one drawing per frame.

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// The phrase `key` with its {gaps} filled.
export function say(words, key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);
}

// Whole numbers below a million in full, larger ones as 1.2 × 10⁹, up to what JavaScript can count.
export function readable(number) {
  if (number === Infinity) return "> 10³⁰⁸";
  if (number < 1e6) return number.toLocaleString("en").replace(",", "\u202f");
  const [digits, power] = number.toExponential(1).split("e+");
  return `${digits} × 10${[...power].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("")}`;
}

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

export function isWhole(value, least, most) {
  return Number.isInteger(value) && value >= least && value <= most;
}

// Whether `place` is [row, column] of a map with these [rows, columns].
export function isPlace(place, map) {
  return place.length === 2 && place.every((at, axis) => isWhole(at, 0, map[axis] - 1));
}

// Send changed traits to the model, and through it to Python and to the other views.
export function commit(model, changes) {
  for (const [name, value] of Object.entries(changes)) model.set(name, value);
  model.save_changes();
}

// Listen to several traits; returns the function that stops listening.
export function listen(model, names, handler) {
  for (const name of names) model.on(`change:${name}`, handler);
  return () => names.forEach((name) => model.off(`change:${name}`, handler));
}

// However often it is called, draw once per frame.
export function oncePerFrame(draw) {
  let frame = 0;
  const request = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      draw();
    });
  };
  request.cancel = () => cancelAnimationFrame(frame);
  return request;
}

// An empty drawing surface of width × height CSS pixels, sharp on any screen.
export function surface(canvas, width, height) {
  const sharp = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * sharp), Math.round(height * sharp)];
  if (canvas.width !== wide || canvas.height !== high) {
    [canvas.width, canvas.height] = [wide, high];
    [canvas.style.width, canvas.style.height] = [`${width}px`, `${height}px`];
  }
  const ctx = canvas.getContext("2d");
  ctx.reset();
  ctx.scale(wide / width, high / height);
  return ctx;
}

// The theme's colours as the browser computes them now: the style sheet puts them on one hidden element.
export function readColours(probe) {
  const style = getComputedStyle(probe);
  return {
    ink: style.color,
    paper: style.backgroundColor,
    faint: style.borderTopColor,
    line: style.borderRightColor,
    touched: style.borderBottomColor,
    unit: style.borderLeftColor,
    onTouched: style.outlineColor,
    font: style.fontFamily,
  };
}

export function rgb(colour) {
  return colour
    .match(/[\d.]+/g)
    .slice(0, 3)
    .map(Number);
}

// Black or white, whichever stands out more from the colour [red, green, blue]: at least 4.5 : 1.
export function inkOn(colour) {
  const [red, green, blue] = colour.map((part) => (part / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "black" : "white";
}

// Dark or light? The background tells, whoever chose it (JupyterLab, another host, the system). Only a
// root that is on the page has a background, so this waits for the first drawing.
export function markTheme(root) {
  if (root.dataset.theme) return;
  const [red, green, blue] = rgb(getComputedStyle(root).backgroundColor);
  root.dataset.theme = 0.3 * red + 0.6 * green + 0.1 * blue < 110 ? "dark" : "light";
}

// Call `redraw` when the theme changes; returns the function that stops watching.
function watchTheme(root, redraw) {
  const changed = () => {
    delete root.dataset.theme;
    redraw();
  };
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const page = new MutationObserver(changed);
  for (const node of [document.documentElement, document.body]) {
    page.observe(node, { attributes: true, attributeFilter: ["class", "style", "data-jp-theme-name"] });
  }
  system.addEventListener("change", changed);
  return () => {
    page.disconnect();
    system.removeEventListener("change", changed);
  };
}

// Mouse, pen and touch: `press()`, `preview(point)` while moving, `keep(point)` on release, `leave()`; a finger that
// moves up or down scrolls the page.
export function followPointer(canvas, { press, preview, keep, leave }) {
  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  canvas.classList.add("dl-followed");
  canvas.addEventListener("pointermove", (event) => preview(point(event)));
  canvas.addEventListener("pointerdown", (event) => {
    if (canvas.tabIndex >= 0) canvas.focus({ preventScroll: true });
    if (event.isTrusted) canvas.setPointerCapture(event.pointerId);
    press();
    preview(point(event));
  });
  canvas.addEventListener("pointerup", (event) => keep(point(event)));
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("pointercancel", leave);
}

const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

// Arrow keys as [rows, columns]; Shift makes 10 steps, Home and End go to the end of the row.
export function followKeys(canvas, move) {
  canvas.addEventListener("keydown", (event) => {
    const ends = { Home: [0, -Infinity], End: [0, Infinity] }[event.key];
    const step = ends ?? ARROWS[event.key]?.map((way) => way * (event.shiftKey ? 10 : 1));
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move(step);
  });
}

// Change a text only where it differs, so that nothing is read out twice.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const PAUSE = 400; // milliseconds without a further change

// Say aloud what has changed, once a key held down or a drag is over; what is there at first is not said.
export function announce(live, text) {
  const begun = live.heard !== undefined;
  if (live.heard === text) return;
  live.heard = text;
  clearTimeout(live.waiting);
  if (begun) live.waiting = setTimeout(() => setText(live, text), PAUSE);
}

// Say at once why a change is impossible, and nothing of the change before it; "" when it is possible again.
export function refuse({ live, status }, text) {
  if (text && text !== status.textContent) {
    clearTimeout(live.waiting);
    live.heard = live.textContent;
  }
  setText(status, text);
}

// Set a field only where its value differs, so that typing is not disturbed.
export function write(input, value) {
  const same = input.value !== "" && Number(input.value) === Number(value);
  if (input.value !== value && !same) input.value = value;
}

// From now on a view follows the model's traits, the theme and its own width; call what comes back to close it.
export function follow(view, root, model, traits) {
  const changed = () => {
    view.draft = view.preview = null;
    view.redraw();
  };
  const stops = [listen(model, traits, changed), watchTheme(root, view.redraw)];
  const resized = new ResizeObserver(view.redraw);
  resized.observe(root);
  return () => {
    stops.forEach((stop) => stop());
    resized.disconnect();
    view.redraw.cancel();
    root.remove();
  };
}
