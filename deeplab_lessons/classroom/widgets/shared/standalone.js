// A page that holds one widget: its module, style sheet and state are in the element "parts".

import { modelOf, widgetFrom } from "./model.js";

const { esm, css, state } = JSON.parse(document.getElementById("parts").textContent);

const sheet = document.createElement("style");
sheet.textContent = css;
document.head.append(sheet);

const el = document.getElementById("widget");
await (await widgetFrom(esm)).render({ model: modelOf(state), el });
