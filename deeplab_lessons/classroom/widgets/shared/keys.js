// Keys pressed in a widget stay there: JupyterLab would take bare letters and arrows as commands for its cells.

// Lab listens at the document. Keys with Ctrl, Cmd or Alt, and Shift+Enter, still rise to it from here.
export function keepKeys(root) {
  root.addEventListener("keydown", (event) => {
    const { ctrlKey, metaKey, altKey, shiftKey, key } = event;
    if (!(ctrlKey || metaKey || altKey || (shiftKey && key === "Enter"))) event.stopPropagation();
  });
}
