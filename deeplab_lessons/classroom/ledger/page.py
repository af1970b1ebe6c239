"""The ledger to look at: a pandas table, a page, and a summary in a few lines."""

import html
from collections import Counter
from collections.abc import Sequence
from functools import cache

from deeplab_lessons.classroom.ledger.entry import Entry, agrees, at_precision, result
from deeplab_lessons.classroom.ledger.every import CHAPTERS, ENTRIES
from deeplab_lessons.classroom.ledger.scan import stated
from deeplab_lessons.classroom.ledger.twins import spread

#: What the three standings mean.
STANDINGS = {
    "compute": "we compute it, and the last columns say what we get",
    "measure": "a small twin was measured: another network on other pictures, so compare directions, not digits",
    "cite": "we only cite it",
}
_TITLES = ("what", "printed", "where", "lessons", "standing", "ours", "remark")
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; background: #fff;
       max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin-bottom: 2rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem; border-bottom: 1px solid #ddd; }
thead th { position: sticky; top: 0; background: #fff; border-bottom: 2px solid #888; }
td:nth-child(2), td:nth-child(6) { font-variant-numeric: tabular-nums; }
td:nth-child(2) { max-width: 14rem; }
td:nth-child(7) { color: #555; max-width: 26rem; }
tr.compute td:nth-child(5) { color: #0072b2; font-weight: 600; }
tr.measure td:nth-child(5) { color: #007a5a; font-weight: 600; }
tr.differs td:nth-child(6) { color: #b34a00; font-weight: 700; }
tr.differs { background: #fff4ea; }
pre { background: #f4f4f4; padding: .8rem 1rem; white-space: pre-wrap; }
"""


def table(lesson: str | None = None, kind: str | None = None):
    """The ledger as a pandas table, one row for each number.

    `lesson` ("10") keeps what that lesson states, `kind` ("compute", "measure" or "cite") those of one standing.
    Computing what is asked for takes up to half a minute. Raises ValueError for another kind.
    """
    import pandas

    if kind not in (None, *STANDINGS):
        raise ValueError(f"kind is one of {', '.join(STANDINGS)}, got {kind!r}")
    where = _stated()
    kept = [
        entry for entry in ENTRIES
        if (lesson is None or lesson in where[entry]) and (kind is None or entry.standing == kind)
    ]  # fmt: skip
    return pandas.DataFrame([row(entry) for entry in kept], columns=list(_TITLES))


def row(entry: Entry) -> tuple[str, ...]:
    """The cells of an entry's row, all of them text: see `_TITLES`."""
    lessons = ", ".join(_stated()[entry])
    return (entry.name, entry.printed, entry.source, lessons, entry.standing, ours(entry), remark(entry))


def ours(entry: Entry) -> str:
    """What the course has of its own: a computed number written as the print is, or a twin's mean and spread."""
    if entry.standing == "cite":
        return ""
    return (
        at_precision(result(entry), entry.printed) if entry.standing == "compute" else spread(result(entry))
    )


def remark(entry: Entry) -> str:
    """Whether what we compute agrees and, if not, why; which twin was measured."""
    if entry.standing == "measure":
        return f"twin, {entry.get}"
    if entry.standing == "cite":
        return ""
    if agrees(entry):
        return "agrees"
    return (f"within {100 * entry.within:g} %. " if entry.within else "differs. ") + entry.why


def summary(entries: Sequence[Entry] = ENTRIES) -> str:
    """How many numbers there are of each standing, and which of the computed ones differ."""
    count = Counter(entry.standing for entry in entries)
    apart = [entry for entry in entries if entry.standing == "compute" and not agrees(entry)]
    near, far = ([each for each in apart if bool(each.within) is close] for close in (True, False))
    lines = [
        f"{len(entries)} numbers from papers: {count['compute']} computed, {count['measure']} with a measured twin,"
        f" {count['cite']} only cited.",
        f"Of those computed {count['compute'] - len(apart)} agree digit for digit, {len(near)} closely,"
        f" and {len(far)} differ:",
    ]
    return "\n".join(
        [
            *lines,
            *(f"  {each.source}: {each.name}: printed {each.printed}, ours {ours(each)}" for each in far),
        ]
    )


def page(title: str = "The ledger") -> str:
    """The whole ledger as one HTML page that needs nothing else."""
    parts = [f"<h1>{title}</h1>", "<pre>", html.escape(summary()), "</pre>", "<ul>"]
    parts += [f"<li><b>{standing}</b>: {words}</li>" for standing, words in STANDINGS.items()]
    parts += ["</ul>"]
    for chapter, entries in CHAPTERS.items():
        titles = "".join(f"<th scope='col'>{name}</th>" for name in _TITLES)
        parts += [f"<h2>{chapter}</h2>", f"<table><thead><tr>{titles}</tr></thead><tbody>"]
        parts += [_row(entry) for entry in entries]
        parts += ["</tbody></table>"]
    head = f"<meta charset='utf-8'><title>{title}</title><style>{_STYLE}</style>"
    body = "\n".join(parts)
    return f"<!doctype html>\n<html lang='en'><head>{head}</head>\n<body>\n{body}\n</body></html>\n"


def _row(entry: Entry) -> str:
    """One row of the page; its class colours the standing."""
    state = entry.standing
    if entry.standing == "compute":
        state += " agrees" if agrees(entry) else " close" if entry.within else " differs"
    cells = "".join(f"<td>{html.escape(text)}</td>" for text in row(entry))
    return f"<tr class='{state}'>{cells}</tr>"


@cache
def _stated() -> dict[Entry, list[str]]:
    """Where each entry is stated; read once."""
    return stated(ENTRIES)
