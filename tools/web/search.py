"""The search: an index of all sections, as a script, because a page from a folder may load scripts and nothing else."""

import json
import re
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx

HIDDEN = "script, style, .headerlink, .katex-mathml, .dl-mount, .cell_output, .dl-exercise, .answer"
HEADINGS = ["h1", "h2", "h3", "h4"]


def entries(page: Path, address: str) -> list[list[str]]:
    """Return [address, title of the page, heading, text] for each section and each documented name of a built page.

    What cells print is left out, and so are solutions: a search should not give them away.
    """
    main = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").find(attrs={"role": "main"})
    for hidden in main.select(HIDDEN):
        hidden.decompose()
    for whole in main.select("pre, code, .katex"):  # a page colours their parts one by one
        whole.string = whole.get_text()
    title = main.h1.get_text()
    found = [(part["id"], part.find(HEADINGS).get_text(), part) for part in main.find_all("section", id=True)]
    found += [
        (name["id"], name["id"], name.find_next_sibling("dd")) for name in main.select("dl.py > dt[id]")
    ]
    return [[f"{address}#{place}", title, heading, own_text(part)] for place, heading, part in found]


def own_text(part: Tag) -> str:
    """Return the text of a section or of a name's description, without its heading and without those in it."""
    parts = [
        child
        for child in part.find_all(recursive=False)
        if child.name not in ("section", *HEADINGS) and "py" not in child.get("class", [])
    ]
    text = " ".join(" ".join(child.get_text(" ") for child in parts).split())
    return re.sub(r" (?=[,.;:!?)])", "", text)


def write_index(app: Sphinx, exception: Exception | None) -> None:
    """Write `_static/search_index.js` for every page that Sphinx has written."""
    if exception is not None:
        return
    found = []
    for name in sorted(app.env.found_docs):
        found += entries(Path(app.outdir, f"{name}.html"), f"{name}.html")
    text = f"globalThis.SECTIONS = {json.dumps(found, ensure_ascii=False)};\n"
    Path(app.outdir, "_static/search_index.js").write_text(text, encoding="utf-8")


def without_sphinx_search(app: Sphinx) -> None:
    """Leave out Sphinx's own search, which fetches pages for its snippets."""
    app.builder.search = False


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.connect("builder-inited", without_sphinx_search)
    app.connect("build-finished", write_index)
    return {"parallel_read_safe": True}
