"""Lessons as statements: sentences, list items, table rows and statements of code, each with its line."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LESSONS, NOTEBOOKS = ROOT / "lessons", ROOT / "notebooks"

#: Words that point to a place in a paper or say that something is printed there.
PLACE = re.compile(
    r"\b(tables?|figures?|fig\.|sections?|equation|appendix) (\d|[A-Z]\b)|\bpapers?\b|\bappendix\b"
    r"|\bprint(s|ed)\b|\breport(s|ed)\b|\bpublished\b",
    re.IGNORECASE,
)
#: Names of papers and of their networks.
NAME = re.compile(
    r"\bDeepLab|\bv[123]\b\+?|CRF-as-RNN|\bFCN\b|Krähenbühl|\b[A-Z]\w+ and others|\b[A-Z]\w+ \(\d{4}\)|\breleased\b"
)
#: Names in code that announce numbers of a paper: `paper`, `printed`, `table_5`, `note_field`.
ANNOUNCED = re.compile(r"paper|printed|published|(^|_)table_\d|(^|_)note_", re.IGNORECASE)
_SHOWS_LEDGER = re.compile(r"\bledger\.(table|summary|ENTRIES|CHAPTERS)\b")
_BREAK = re.compile(r"\s*$|\||#|```|\+\+\+|\$\$|\s*([-*]|\d+\.) ")


@dataclass(frozen=True)
class Statement:
    """One thing that a lesson says: `text` from `line` on.

    `kind`: "prose", "row" (of a table), "code" or "output". `cites`: "place" where it points to a place in a paper,
    "name" where it names a paper, "" where it does neither.
    """

    lesson: str
    line: int
    text: str
    kind: str = "prose"
    cites: str = ""


def lesson_files(lessons: Path = LESSONS) -> list[Path]:
    """Return the sources of the numbered lessons, in order."""
    return sorted(lessons.glob("[0-9][0-9]_*.md"))


def statements(path: Path) -> list[Statement]:
    """Return everything that the lesson in `path` states, in order, without its section "References"."""
    lesson = path.name[:2]
    stated: list[Statement] = []
    for line, kind, text, before in _blocks(path.read_text(encoding="utf-8").split("\n")):
        if kind == "code":
            stated += _code(lesson, line, text)
        elif kind == "row":
            stated.append(Statement(lesson, line, text, "row", cites(f"{before} {text}")))
        else:
            inherited = "name" if before == "Against the papers" else ""
            for each in sentences(text):
                stated.append(Statement(lesson, line, each, "prose", cites(each) or inherited))
    return stated


def outputs(lesson: str, notebooks: Path = NOTEBOOKS) -> list[Statement]:
    """Return what the cells of the notebook of `lesson` ("04") have printed, line by line; [] where it is not built.

    A cell that shows the ledger itself proves nothing and is skipped.
    """
    printed = []
    for path in notebooks.glob(f"{lesson}_*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if not _SHOWS_LEDGER.search("".join(cell["source"])):
                lines = "\n".join(map(_text, cell.get("outputs", ()))).split("\n")
                printed += [Statement(lesson, 0, line, "output") for line in lines if line.strip()]
    return printed


def _text(output: dict) -> str:
    """The text of one output of a cell, as it is printed."""
    return "".join(output.get("text") or output.get("data", {}).get("text/plain") or "")


def cites(text: str) -> str:
    """Return whether a sentence points to a place in a paper ("place"), names a paper ("name") or neither ("")."""
    text = re.sub(r"\]\([^)]*\)|`[^`]*`", " ", text)
    return "place" if PLACE.search(text) else "name" if NAME.search(text) else ""


def sentences(text: str) -> list[str]:
    """Return a paragraph, cut after each full stop, question or exclamation mark that ends a sentence."""
    text = " ".join(text.split())
    marked = re.sub(r"(?<=[.!?])([\"”*)]*) (?=[\"“*(]*[A-Z\d])", "\\1\n", text)
    return re.sub(r"(?i)\b(fig\.|vs\.|cf\.)\n", r"\1 ", marked).split("\n")


def _blocks(lines: list[str]) -> Iterator[tuple[int, str, str, str]]:
    """(line, kind, text, what comes before) of each paragraph, list item, row and code cell."""
    section = before = header = ""
    place = lines.index("---", 1) + 1 if lines[0] == "---" else 0
    while place < len(lines):
        line, end = lines[place], place + 1
        if line.startswith("```"):
            end = _until(lines, end, lambda each: each.startswith("```")) + 1
            if "code-cell" in line:
                body = ["" if each.startswith(":") else each for each in lines[place + 1 : end - 1]]
                yield place + 2, "code", "\n".join(body), ""
        elif line.startswith("$$"):
            closed = line.rstrip().endswith("$$") and line.strip() != "$$"
            end = end if closed else _until(lines, end, lambda each: each.rstrip().endswith("$$")) + 1
        elif line.startswith("#"):
            section, before = line.strip("# "), ""
        elif section == "References" or not line.strip() or line.startswith("+++"):
            pass
        elif line.startswith("|"):
            header = header if lines[place - 1].startswith("|") else line
            if not set(line) <= set("|-: "):
                yield place + 1, "row", line, f"{before} {header}"
        else:
            end = _until(lines, end, _BREAK.match)
            before = " ".join(lines[place:end])
            yield place + 1, "prose", before, section
        place = end


def _until(lines: list[str], place: int, stops) -> int:
    """The first line from `place` on where `stops` says so; the end of `lines` where none does."""
    return next((at for at in range(place, len(lines)) if stops(lines[at])), len(lines))


def _code(lesson: str, line: int, source: str) -> Iterator[Statement]:
    """The comments of a code cell as prose, and each of its statements."""
    for offset, text in enumerate(source.split("\n")):
        if comment := re.search(r"(?:^|\s)# (.*)", text):
            yield Statement(lesson, line + offset, comment[1], "prose", cites(comment[1]))
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in tree.body:
        text = ast.get_source_segment(source, node) or ""
        yield Statement(lesson, line + node.lineno - 1, text, "code", "place" if _announced(node) else "")


def _announced(node: ast.stmt) -> bool:
    """Whether a statement gives a value to a name that mentions a paper."""
    names = [
        each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    ]
    assigns = isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)
    return assigns and any(ANNOUNCED.search(name) for name in names)


def unbuilt(lessons: Path = LESSONS, notebooks: Path = NOTEBOOKS) -> list[str]:
    """Return the lessons whose notebook is not built yet, so that nobody knows what they print."""
    return [path.stem for path in lesson_files(lessons) if not (notebooks / f"{path.stem}.ipynb").is_file()]
