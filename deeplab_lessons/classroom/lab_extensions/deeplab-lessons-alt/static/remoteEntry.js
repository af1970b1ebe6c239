/**
 * Images in JupyterLab get the alternative text of their output, metadata {"image/png": {"alt": "…"}}, which JupyterLab
 * itself leaves unread; the bars of finished trainings lose the broken chain that says "no kernel", because they need
 * none; and stored widgets are looked for again. Written in the form that JupyterLab loads, so that nothing has to be
 * built.
 */
(() => {
  const BAR = ".widget-hprogress";
  const FINISHED = `${BAR}, :has(> ${BAR}), :has(+ ${BAR}), ${BAR} + *`;
  const LOST = "Error displaying widget: model not found";
  const LONGEST = 60_000; // milliseconds
  let shared;

  async function module(name) {
    const [version] = Object.values(shared[name]);
    return (await version.get())();
  }

  // A kernel that connects late lets the widget manager look for models before it has read the notebook's own, and it
  // never looks again.
  function findWidgets(panel, wait) {
    if (panel.isDisposed || wait > LONGEST) {
      return;
    }
    for (const { outputArea: area } of panel.content.widgets) {
      for (const [place, { widgets }] of (area?.widgets ?? []).entries()) {
        const lost = widgets?.find(({ node, renderModel }) => renderModel && node.textContent === LOST);
        if (lost) {
          lost.removeClass("jupyter-widgets");
          lost.renderModel(area.model.get(place));
        }
      }
    }
    setTimeout(findWidgets, wait, panel, 2 * wait);
  }

  async function extension() {
    const { IRenderMimeRegistry, RenderedImage } = await module("@jupyterlab/rendermime");
    const { INotebookTracker } = await module("@jupyterlab/notebook");

    class DescribedImage extends RenderedImage {
      async render(model) {
        await super.render(model);
        const { alt } = model.metadata[this.mimeType] ?? {};
        if (alt) {
          this.node.querySelector("img").alt = alt;
        }
      }
    }

    const plugin = {
      id: "deeplab-lessons-alt:plugin",
      description:
        "Gives images their alternative text and finished progress bars no broken chain, and finds stored widgets.",
      autoStart: true,
      requires: [IRenderMimeRegistry, INotebookTracker],
      activate(_, registry, tracker) {
        const createRenderer = (options) => new DescribedImage(options);
        const style = document.createElement("style");
        style.textContent = `.jupyter-widgets-disconnected:is(${FINISHED})::before { display: none; }`;
        document.head.append(style);
        registry.addFactory({ safe: true, mimeTypes: ["image/png", "image/jpeg"], createRenderer }, 90);
        tracker.widgetAdded.connect((_tracker, panel) => findWidgets(panel, 1000));
      },
    };
    return () => plugin;
  }

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB["deeplab-lessons-alt"] = {
    init(scope) {
      shared = scope;
    },
    get: extension,
  };
})();
