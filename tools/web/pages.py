"""The pages besides the lessons: landing, explorers, ledger, instructor's guide, reference, changes."""

import re
from pathlib import Path

import instructors_guide
import ledger.page

from notebooks import lesson_sources
from web import HERE, ROOT, explorers, reference


def sources() -> dict[str, str]:
    """Return {name of a page: its Markdown}."""
    explorer_pages = {f"explorers/{name}": text for name, text in explorers.pages().items()}
    more = {
        "ledger": headed(ledger.page.body()),
        "instructors": headed(instructors_guide.body("lessons/{}.html")),
        "changes": written(ROOT / "CHANGELOG.md"),
    }
    index = {"index": landing(explorer_pages, ["reference/index", *more])}
    return index | explorer_pages | more | reference.sources()


def landing(explorer_pages, more) -> str:
    """Return the first page; what it says of the course is what the README says."""
    first = lesson_sources()[0]
    return written(HERE / "index.md").format(
        picture=re.search(r"!\[[^]]+\]\(lessons/images/.+?\)", written(ROOT / "README.md"))[0].replace(
            "lessons/", ""
        ),
        install=re.search(r"^python -m pip .+\.whl.+\n.+", written(ROOT / "README.md"), re.M)[0],
        first=instructors_guide.title(first),
        first_name=first.stem,
        able=section(ROOT / "README.md", "What you will be able to do"),
        lessons="\n".join(f"lessons/{lesson.stem}" for lesson in lesson_sources()),
        explorers="\n".join(explorer_pages),
        more="\n".join(more),
    )


def written(path: Path) -> str:
    """Return a file's text."""
    return path.read_text(encoding="utf-8")


def section(path: Path, heading: str) -> str:
    """Return what a Markdown file has below a heading of the second level, without the heading."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", written(path), re.M | re.S)
    if found is None:
        raise ValueError(f"{path.name} has no section {heading!r}")
    return found[1].strip()


def headed(body: str) -> str:
    """Return HTML as Markdown whose headings of the first two levels the site knows; the rest stays as it is."""
    body = re.sub(r'<a class="anchor-link"[^>]*>.*?</a>', "", body)
    parts = re.split(r"<h([12])(?: id='([\w-]+)')?>(.*?)</h\1>", body)
    lines = [raw(parts[0])]
    for level, name, text, rest in zip(parts[1::4], parts[2::4], parts[3::4], parts[4::4], strict=True):
        lines += [f"({name})=" if name else "", f"{'#' * int(level)} {text}", "", raw(rest)]
    return "\n".join(lines)


def raw(text: str) -> str:
    """Return HTML as a block that Markdown leaves alone."""
    inside = f"<div class='dl-page'>\n{text.strip()}\n</div>"
    return f"``````{{raw}} html\n{inside}\n``````\n" if text.strip() else ""
