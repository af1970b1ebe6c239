// Stands in for Jupyter's model where there is no kernel: traits in a plain object, events for changes.
const { esm, css, state } = JSON.parse(document.getElementById("parts").textContent);
const handlers = new Map();

const model = {
  get: (name) => state[name],
  set(name, value) {
    if (JSON.stringify(state[name]) === JSON.stringify(value)) return;
    state[name] = value;
    for (const event of [`change:${name}`, "change"]) handlers.get(event)?.forEach((handler) => handler());
  },
  on(events, handler) {
    for (const event of events.split(" "))
      handlers.set(event, (handlers.get(event) ?? new Set()).add(handler));
  },
  off(events, handler) {
    for (const event of events.split(" ")) handlers.get(event)?.delete(handler);
  },
  save_changes() {},
  send() {},
};

const sheet = document.createElement("style");
sheet.textContent = css;
document.head.append(sheet);

const address = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
const widget = (await import(address)).default;
URL.revokeObjectURL(address);
const el = document.getElementById("widget");
await widget.render({ model, el });

// In an exported notebook this page sits in a frame, which takes the height of its content.
const frame = window.frameElement;
if (frame) {
  new ResizeObserver(() => (frame.style.height = `${el.offsetHeight + 20}px`)).observe(el);
}
