"""Formulas, set by KaTeX while the site is built, so that a page needs only KaTeX's style sheet and fonts."""

import json
import re
import sys
from functools import cache
from pathlib import Path

from docutils import nodes
from py_mini_racer import MiniRacer
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

# `tools/environment.py` puts it there: the files of a package that carries KaTeX whole.
KATEX = Path(sys.prefix) / "share/katex/djangocms_katex/static/djangocms_katex/vendor/katex"


@cache
def _katex() -> MiniRacer:
    if not KATEX.is_dir():
        raise ExtensionError(f"KaTeX is not in {KATEX}: run `make site`, which installs it")
    engine = MiniRacer()
    engine.eval((KATEX / "katex.min.js").read_text(encoding="utf-8"))
    return engine


@cache
def formula(tex: str, display: bool = False) -> str:
    """Return TeX as KaTeX's HTML, with MathML for screen readers. Raises an error if KaTeX cannot read it."""
    options = json.dumps({"displayMode": display, "throwOnError": True, "strict": "ignore"})
    return _katex().eval(f"katex.renderToString({json.dumps(tex)}, {options})")


def _inline(writer, node: nodes.math) -> None:
    writer.body.append(formula(node.astext()))
    raise nodes.SkipNode


def _display(writer, node: nodes.math_block) -> None:
    writer.body.append('<div class="dl-formula">')
    writer.body.append(formula(node.astext(), display=True) + "</div>\n")
    raise nodes.SkipNode


def files() -> dict[str, bytes]:
    """Return {path below _static: content} of what pages need: KaTeX's style sheet and the fonts that it names."""
    sheet = (KATEX / "katex.min.css").read_text(encoding="utf-8")
    sheet = re.sub(r",url\([^)]+\.(?:woff|ttf)\) format\([^)]+\)", "", sheet)  # every browser takes woff2
    fonts = {f"katex/fonts/{path.name}": path.read_bytes() for path in (KATEX / "fonts").glob("*.woff2")}
    return {"katex/katex.min.css": sheet.encode(), **fonts}


def setup(app: Sphinx) -> dict:
    """Register the renderer with Sphinx as `katex`."""
    app.add_html_math_renderer("katex", (_inline, None), (_display, None))
    app.add_css_file("katex/katex.min.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
