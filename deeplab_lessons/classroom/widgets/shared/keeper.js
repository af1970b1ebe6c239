// An element without a picture: in the box around it, which ipywidgets made, keys stay as in our own widgets.

import { keepKeys } from "./keys.js";

// The box is known only once the element is in it, at the latest when the first key is pressed.
function render({ el }) {
  const begin = () => {
    if (!el.isConnected) return;
    document.removeEventListener("keydown", begin, true);
    const box = el.closest(".widget-vbox");
    keepKeys(box);
    for (const shown of box.querySelectorAll(".dl-steps .widget-readout")) shown.contentEditable = "false";
  };
  document.addEventListener("keydown", begin, true);
  return () => document.removeEventListener("keydown", begin, true);
}

export default { render };
