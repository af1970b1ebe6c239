"""The site, built: its sources are gathered in a temporary folder, and Sphinx turns them into pages."""

import io
import shutil
import tempfile
from pathlib import Path

import nbformat
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from notebooks import lesson_sources, notebook_of
from web import HERE, ROOT, formulas, lessons, pages, widgets


class FaultyPagesError(RuntimeError):
    """What Sphinx warned of while it built the site."""


def gather(source: Path) -> None:
    """Write the sources of all pages, and the files that they load, into the folder `source`."""
    for name in ("lessons", "files/figures", "static"):
        (source / name).mkdir(parents=True)
    shutil.copytree(ROOT / "lessons/images", source / "images")
    for lesson in lesson_sources():
        notebook = lessons.prepared(notebook_of(lesson), source / "files/figures")
        nbformat.write(notebook, source / f"lessons/{lesson.stem}.ipynb")
    for name, text in pages.sources().items():
        path = source / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, content in formulas.files().items():
        path = source / "static" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    widgets.write_modules(source / "static")


def build(folder: Path) -> Path:
    """Write the site into `folder`, replacing the site that was there, and return it.

    Raises FaultyPagesError, in Sphinx's words, for everything that Sphinx warns of, and ValueError for a folder that
    holds something else.
    """
    folder = folder.resolve()
    if folder.is_dir() and any(folder.iterdir()) and not (folder / ".buildinfo").is_file():
        raise ValueError(f"{folder} holds other files: pass an empty folder or a new one")
    warnings = io.StringIO()
    with tempfile.TemporaryDirectory() as temporary, patch_docutils(HERE), docutils_namespace():
        source, new = Path(temporary, "source"), Path(temporary, "site")
        gather(source)
        settings = {
            "html_static_path": [str(HERE / "static"), str(source / "static")],
            "html_extra_path": [str(source / "files")],
            "exclude_patterns": ["files", "static"],
        }
        app = Sphinx(
            source, HERE, new, Path(temporary, "doctrees"), "html", settings, status=None, warning=warnings
        )
        app.build()
        if warnings.getvalue():
            raise FaultyPagesError(f"the site is not written:\n{warnings.getvalue()}")
        shutil.rmtree(new / "_sources", ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(new, folder)
    return folder
