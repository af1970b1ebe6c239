"""The reference of the library: one page for each public module, from its docstrings, which are Markdown."""

import importlib
import re

from sphinx.application import Sphinx

# Listed by hand: what a reader of the course uses. A module without `__all__` shows its public names.
MODULES = [
    "arithmetic", "receptive_field", "grid", "layers", "heads", "backbones", "models", "models.with_crf", "crf",
    "datasets", "metrics", "training", "inference", "overlays", "runtime",
]  # fmt: skip
PACKAGE = "deeplab_lessons"
OVERVIEW = """# Library reference

What the lessons derive is in `deeplab_lessons`, ready to import. The classroom, which draws and asks, is not listed.

| module | what is in it |
|---|---|
{rows}

```{{toctree}}
:hidden:

{names}
```
"""


def sources() -> dict[str, str]:
    """Return {name of a page: its Markdown}: an overview, and one page for each module."""
    rows = [f"| [{name}]({name}.md) | {first_sentence(name)} |" for name in MODULES]
    pages = {f"reference/{name}": page(name) for name in MODULES}
    return {"reference/index": OVERVIEW.format(rows="\n".join(rows), names="\n".join(MODULES)), **pages}


def first_sentence(name: str) -> str:
    """Return the first sentence of a module's docstring."""
    text = importlib.import_module(f"{PACKAGE}.{name}").__doc__
    return re.split(r"(?<=[.:])\s", " ".join(text.split()).replace("|", "\\|"), maxsplit=1)[0].rstrip(":")


def page(name: str) -> str:
    """Return the page of a module."""
    return f"# {name}\n\n```{{eval-rst}}\n.. automodule:: {PACKAGE}.{name}\n   :members:\n```\n"


def as_restructured(lines: list[str]) -> None:
    """Turn Markdown lines into Sphinx's markup, in place: `code` and **bold**; other bars and stars are themselves."""
    for place, line in enumerate(lines):
        parts = re.split(r"(`+[^`]*`+|\*\*[^*`]+\*\*)", line)
        for at, part in enumerate(parts):
            if part.startswith("`"):
                glued = parts[at + 1][:1].isalnum()
                parts[at] = f"``{part.strip('`')}``" + "\\ " * glued
            elif at % 2 == 0:
                parts[at] = re.sub(r"([|*])", r"\\\1", part)
        lines[place] = "".join(parts)


def setup(app: Sphinx) -> dict:
    """Have Sphinx read the docstrings as Markdown."""
    app.connect(
        "autodoc-process-docstring",
        lambda _app, _what, _name, _object, _options, lines: as_restructured(lines),
    )
    return {"parallel_read_safe": True}
