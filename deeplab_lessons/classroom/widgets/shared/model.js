// Stands in for Jupyter's model where there is no kernel: traits in a plain object, events for changes.
export function modelOf(state) {
  const handlers = new Map();
  return {
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
}

// A widget's module from its text, which is the only way where modules cannot be loaded from files.
export async function widgetFrom(esm) {
  const address = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const widget = (await import(address)).default;
  URL.revokeObjectURL(address);
  return widget;
}
