"""The ledger as one HTML page."""

import html

from deeplab_lessons.classroom.ledger import CHAPTERS, Entry, summary
from deeplab_lessons.classroom.ledger.entry import COLUMNS, STANDINGS, agrees, row

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


def page(title: str = "The ledger") -> str:
    """Return the whole ledger as one HTML page that needs no other file."""
    head = f"<meta charset='utf-8'><title>{title}</title><style>{_STYLE}</style>"
    return f"<!doctype html>\n<html lang='en'><head>{head}</head>\n<body>\n{body(title)}\n</body></html>\n"


def body(title: str = "The ledger") -> str:
    """Return what is on the page, as HTML; the course's site has it too."""
    parts = [f"<h1>{title}</h1>", "<pre>", html.escape(summary()), "</pre>", "<ul>"]
    parts += [f"<li><b>{standing}</b>: {words}</li>" for standing, words in STANDINGS.items()]
    parts += ["</ul>"]
    titles = "".join(f"<th scope='col'>{name}</th>" for name in COLUMNS)
    for chapter, entries in CHAPTERS.items():
        parts += [f"<h2>{chapter}</h2>", f"<table><thead><tr>{titles}</tr></thead><tbody>"]
        parts += [_row(entry) for entry in entries]
        parts += ["</tbody></table>"]
    return "\n".join(parts)


def _row(entry: Entry) -> str:
    """One row of the page; its class colours the standing."""
    state = entry.standing
    if entry.standing == "compute":
        state += " agrees" if agrees(entry) else " close" if entry.within else " differs"
    cells = "".join(f"<td>{html.escape(text)}</td>" for text in row(entry))
    return f"<tr class='{state}'>{cells}</tr>"
