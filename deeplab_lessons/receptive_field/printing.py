"""How a table prints: as text, and as HTML in the notebook's own colours."""

import html
from collections.abc import Sequence

from deeplab_lessons.receptive_field.fields import number

COLUMNS = (
    "name", "kind", "kernel", "stride", "dilation", "padding", "channels", "map size", "jump", "field", "start",
    "paths", "parameters", "multiply_adds",
)  # fmt: skip
_ALWAYS = {"name", "kind", "map size", "jump", "field", "start"}
_LEFT = {"name", "kind"}
_MOST_ROWS = 60


def _lines(table: Sequence[dict[str, object]]) -> tuple[list[str], list[list[str]]]:
    """Names of the columns to print, and their cells; a line that begins with ⋮ stands for rows left out."""
    head = [c for c in COLUMNS if c in _ALWAYS or any(cells[c] not in ("", 0) for cells in table)]
    lines = [[_text(key, cells[key]) for key in head] for cells in table]
    if len(lines) > _MOST_ROWS:
        note = ["⋮", f"{len(lines) - _MOST_ROWS} more rows: .to_dataframe() has all", *[""] * (len(head) - 2)]
        lines = [*lines[: _MOST_ROWS // 2], note, *lines[-_MOST_ROWS // 2 :]]
    return head, lines


def _text(column: str, value: object) -> str:
    if column in ("parameters", "multiply_adds"):
        return f"{value:,}" if value else ""
    return number(value)


def as_text(table: Sequence[dict[str, object]], summary: str) -> str:
    """Return rows of cells by column as text, with the summary below."""
    head, lines = _lines(table)
    titles = [title.replace("_", "-") for title in head]
    widths = [
        max(map(len, column)) for column in zip(titles, *(ln for ln in lines if ln[0] != "⋮"), strict=True)
    ]
    out = []
    for line in [titles, *lines]:
        if line[0] == "⋮":
            out.append(f"⋮  {line[1]}")
            continue
        cells = (c.ljust(w) if h in _LEFT else c.rjust(w) for c, w, h in zip(line, widths, head, strict=True))
        out.append("  ".join(cells).rstrip())
    return "\n".join([*out, "", summary])


def as_html(table: Sequence[dict[str, object]], summary: str) -> str:
    """Return the same for a notebook; it sets no colours, so that it suits light and dark themes."""
    head, lines = _lines(table)
    align = ["left" if name in _LEFT else "right" for name in head]
    titles = _html_row("th", [title.replace("_", "-") for title in head], align)
    rows = "".join(_html_row("td", line, align) for line in lines)
    return (
        f'<div style="overflow-x:auto"><table><thead>{titles}</thead><tbody>{rows}</tbody></table>'
        f"<p>{html.escape(summary).replace(chr(10), '<br>')}</p></div>"
    )


def _html_row(tag: str, cells: list[str], align: list[str]) -> str:
    filled = [
        f'<{tag} style="text-align:{a}">{html.escape(c)}</{tag}>' for c, a in zip(cells, align, strict=True)
    ]
    return f"<tr>{''.join(filled)}</tr>"
