// A button that sends a file in pieces, each after the receipt of the one before; what happens is said below it.

import { make, say, setText } from "../shared/common.js";
import { patienceOf } from "../shared/patience.js";

// The button, and the two lines that say what happens: `view.told` and `view.refused`.
export function uploadParts(view) {
  const { model, words } = view;
  const input = make("input", { type: "file", accept: "image/*", hidden: "" });
  const button = make("button", { type: "button" }, words.upload);
  [view.told, view.refused] = ["status", "alert"].map((role) => make("p", { role, class: "dl-status" }));
  Object.assign(view, { name: Math.random().toString(36).slice(2), count: 0, sent: null });
  button.addEventListener("click", () => (view.alone ? tell(view, "alone") : input.click()));
  input.addEventListener("change", () => {
    if (input.files.length) begin(view, input.files[0]);
    input.value = ""; // the same file may be chosen again
  });
  const receipt = (message) => message.upload === view.sent?.upload && received(view, message);
  model.on("msg:custom", receipt);
  const close = () => {
    clearTimeout(view.impatient);
    model.off("msg:custom", receipt);
  };
  return { controls: [button, input], close };
}

function megabytes(bytes) {
  return (bytes / 2 ** 20).toFixed(1);
}

// Say one thing, and nothing else.
export function tell({ words, told, refused }, key, values) {
  const text = key ? say(words, key, values) : "";
  const wrong = ["too_large", "unreadable", "refused", "alone"].includes(key);
  setText(told, wrong ? "" : text);
  setText(refused, wrong ? text : "");
}

// A newly chosen file takes the place of one that is still on its way.
function begin(view, file) {
  clearTimeout(view.impatient);
  view.sent = null;
  const { most } = view.model.get("_limits");
  const values = { name: file.name, size: megabytes(file.size), most: most / 2 ** 20 };
  if (file.size > most) return tell(view, "too_large", values);
  view.sent = { upload: `${view.name}-${++view.count}`, file, values };
  return sendPiece(view, 0);
}

async function sendPiece(view, start) {
  const { sent, model } = view;
  const { upload, file, values } = sent;
  tell(view, "sending", { ...values, done: megabytes(start) });
  let piece;
  try {
    piece = await file.slice(start, start + model.get("_limits").piece).arrayBuffer();
  } catch (error) {
    return tell(view, "unreadable", { ...values, error: error.message });
  }
  if (sent !== view.sent) return;
  view.impatient = setTimeout(() => tell(view, "silent", values), patienceOf(view.parts.root));
  model.send({ upload, name: file.name, start, size: file.size }, undefined, [piece]);
}

function received(view, { received: bytes, done, error }) {
  const { file, values } = view.sent;
  clearTimeout(view.impatient);
  if (done) {
    view.sent = null;
    return tell(view, error && "refused", { error });
  }
  return bytes < file.size ? sendPiece(view, bytes) : tell(view, "working", values);
}
