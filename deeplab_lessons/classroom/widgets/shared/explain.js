// An Impossible error as a sentence; any other error is a defect and is passed on.

import { Impossible } from "./arithmetic.js";
import { say } from "./common.js";

export function explain(words, error) {
  if (!(error instanceof Impossible)) throw error;
  const { layer, name } = error.values;
  const where = layer ? say(words, "of_layer", { layer }) : "";
  const text = say(words, error.reason, { ...error.values, layer: where, name: words[name] ?? name });
  return text[0].toUpperCase() + text.slice(1);
}
