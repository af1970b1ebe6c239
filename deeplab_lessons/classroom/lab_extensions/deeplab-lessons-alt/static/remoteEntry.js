/**
 * Images in JupyterLab get the alternative text of their output, metadata {"image/png": {"alt": "…"}}, which JupyterLab
 * itself leaves unread. Written in the form that JupyterLab loads, so that nothing has to be built.
 */
(() => {
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
      description: "Gives images the alternative text that their output carries.",
      autoStart: true,
      requires: [IRenderMimeRegistry],
      activate(_, registry) {
        const createRenderer = (options) => new DescribedImage(options);
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
