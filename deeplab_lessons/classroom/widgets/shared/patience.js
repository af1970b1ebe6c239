// How long to wait for Python before we say that it is silent, in ms: not at all where Jupyter marks a stored widget,
// whose cell has not been run, as one without Python.
export function patienceOf(root) {
  return root.closest(".jupyter-widgets-disconnected") ? 0 : 3000;
}
