"""The search: an index of all sections as a script, because a page from a folder may load scripts and nothing else."""

import json
import re
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx

HIDDEN = "script, style, .headerlink, .katex-mathml, .dl-mount, .copybtn"


def sections(page: Path, address: str) -> list[list[str]]:
    """Return [address, title of the page, heading, text] for each section of a built page."""
    main = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").find(attrs={"role": "main"})
    for hidden in main.select(HIDDEN):
        hidden.decompose()
    for whole in main.select("pre, code, .katex"):  # a page colours their parts one by one
        whole.string = whole.get_text()
    title = main.h1.get_text() if main.h1 else ""
    return [
        [f"{address}#{part['id']}", title, part.find(["h1", "h2", "h3", "h4"]).get_text(), own_text(part)]
        for part in main.find_all("section", id=True)
    ]


def own_text(section: Tag) -> str:
    """Return a section's text without its heading and without the sections in it."""
    parts = [
        part
        for part in section.find_all(recursive=False)
        if part.name not in ("section", "h1", "h2", "h3", "h4")
    ]
    text = " ".join(" ".join(part.get_text(" ") for part in parts).split())
    return re.sub(r" (?=[,.;:!?)])", "", text)


def write_index(app: Sphinx, exception: Exception | None) -> None:
    """Write `_static/search_index.js` for every page that Sphinx has written."""
    if exception is not None:
        return
    found = []
    for name in sorted(app.env.found_docs):
        found += sections(Path(app.outdir, f"{name}.html"), f"{name}.html")
    text = f"const SECTIONS = {json.dumps(found, ensure_ascii=False)};\n"
    Path(app.outdir, "_static/search_index.js").write_text(text, encoding="utf-8")


def without_sphinx_search(app: Sphinx) -> None:
    """Leave out Sphinx's own search, which fetches pages for its snippets."""
    app.builder.search = False


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.connect("builder-inited", without_sphinx_search)
    app.connect("build-finished", write_index)
    return {"parallel_read_safe": True}
