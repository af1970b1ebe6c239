/**
 * Images in JupyterLab get the alternative text of their output, metadata {"image/png": {"alt": "…"}}, which JupyterLab
 * itself leaves unread; and the bars of finished trainings lose the broken chain that says "no kernel", for they need
 * none. Written in the form that JupyterLab loads, so that nothing has to be built.
 */
(() => {
  const BAR = ".widget-hprogress";
  const FINISHED = `${BAR}, :has(> ${BAR}), :has(+ ${BAR}), ${BAR} + *`;
  let shared;

  async function extension() {
    const [version] = Object.values(shared["@jupyterlab/rendermime"]);
    const { IRenderMimeRegistry, RenderedImage } = (await version.get())();

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
      description: "Gives images their alternative text, and finished progress bars no broken chain.",
      autoStart: true,
      requires: [IRenderMimeRegistry],
      activate(_, registry) {
        const createRenderer = (options) => new DescribedImage(options);
        const style = document.createElement("style");
        style.textContent = `.jupyter-widgets-disconnected:is(${FINISHED})::before { display: none; }`;
        document.head.append(style);
        registry.addFactory({ safe: true, mimeTypes: ["image/png", "image/jpeg"], createRenderer }, 90);
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
