"""How a trace prints: as text, and as HTML in the notebook's own colours."""

import html
from typing import TYPE_CHECKING

from deeplab_lessons.receptive_field.fields import both, number

if TYPE_CHECKING:
    from deeplab_lessons.receptive_field.fields import Path
    from deeplab_lessons.receptive_field.table import Row, Trace

COLUMNS = (
    "name", "kind", "kernel", "stride", "dilation", "padding", "channels", "map size", "jump", "field", "start",
    "parameters", "multiply_adds",
)  # fmt: skip
_ALWAYS = {"name", "kind", "map size", "jump", "field", "start"}
_LEFT = {"name", "kind"}
_MOST_ROWS = 60


def _lines(trace: "Trace") -> tuple[list[str], list[list[str]]]:
    """Header and text cells of the printed table; a line that begins with ⋮ stands for rows left out."""
    table = [row.cells() | {"paths": _paths(row)} for row in trace]
    columns = [*COLUMNS[:11], "paths", *COLUMNS[11:]]
    head = [c for c in columns if c in _ALWAYS or any(cells[c] not in ("", 0) for cells in table)]
    lines = []
    for cells in table:
        for key in ("parameters", "multiply_adds"):
            cells[key] = f"{cells[key]:,}" if cells[key] else ""
        lines.append([number(cells[key]) for key in head])
    if len(lines) > _MOST_ROWS:
        note = ["⋮", f"{len(lines) - _MOST_ROWS} more rows: .to_dataframe() has all", *[""] * (len(head) - 2)]
        lines = [*lines[: _MOST_ROWS // 2], note, *lines[-_MOST_ROWS // 2 :]]
    return head, lines


def _paths(row: "Row") -> str:
    """The fields of the few branches that meet here; else how many different fields there are, from … to."""
    meeting = [_size(path) for path in row.branches.values()] if row.node.kind else []
    if len(set(meeting)) > 2 and len(meeting) <= 6:
        return f"{len(meeting)} branches: {', '.join(meeting)}"
    sizes = [_size(path) for path in row.paths]
    return f"{len(sizes)}: {sizes[0]}–{sizes[-1]}" if len(sizes) > 1 else ""


def _size(path: "Path") -> str:
    return both(*("global" if axis.whole else axis.size for axis in (path.y, path.x)))


def summary(trace: "Trace") -> str:
    """Totals, in a few lines."""
    height, width = trace.input_size
    lines = [
        f"{trace.model_name}, input {trace.in_channels}×{height}×{width}: {trace.parameters:,} parameters, "
        f"{trace.multiply_adds:,} multiply-adds (convolutions and linear layers)"
    ]
    pointwise = len(trace.rows) - len(trace)
    if pointwise:
        lines.append(
            f"{pointwise} pointwise operations (batch norm, ReLU, …) are not listed: they change no field"
        )
    if trace.unused_parameters:
        lines.append(f"{trace.unused_parameters:,} parameters of the model took no part")
    return "\n".join(lines)


def as_text(trace: "Trace") -> str:
    """The table as text in columns."""
    head, lines = _lines(trace)
    titles = [title.replace("_", "-") for title in head]
    shown = [titles, *(line for line in lines if line[0] != "⋮")]
    widths = [max(len(line[i]) for line in shown) for i in range(len(head))]
    out = []
    for line in [titles, *lines]:
        if line[0] == "⋮":
            out.append(f"⋮  {line[1]}")
            continue
        cells = (c.ljust(w) if h in _LEFT else c.rjust(w) for c, w, h in zip(line, widths, head, strict=True))
        out.append("  ".join(cells).rstrip())
    return "\n".join([*out, "", summary(trace)])


def as_html(trace: "Trace") -> str:
    """The table for a notebook; it sets no colours, so that it suits light and dark themes."""
    head, lines = _lines(trace)
    align = ["left" if name in _LEFT else "right" for name in head]
    rows = [_html_row("th", [title.replace("_", "-") for title in head], align)]
    rows += [_html_row("td", line, align) for line in lines]
    return (
        f'<div style="overflow-x:auto"><table><thead>{rows[0]}</thead><tbody>{"".join(rows[1:])}</tbody></table>'
        f"<p>{html.escape(summary(trace)).replace(chr(10), '<br>')}</p></div>"
    )


def _html_row(tag: str, cells: list[str], align: list[str]) -> str:
    filled = [
        f'<{tag} style="text-align:{a}">{html.escape(c)}</{tag}>' for c, a in zip(cells, align, strict=True)
    ]
    return f"<tr>{''.join(filled)}</tr>"
