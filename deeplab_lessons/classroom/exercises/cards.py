"""What a check, a hint or a solution shows, in a terminal and in a notebook of any theme."""

import html
import re
from dataclasses import dataclass

BORDERS = {"correct": "#009E73", "wrong": "#D55E00", "error": "#CC79A7", "not attempted": "#999999"}


@dataclass(frozen=True)
class Card:
    """Something a check says: text in a terminal, a bordered block in a notebook."""

    title: str
    sentences: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    columns: tuple[str, ...] = ()  # headings; without them a row is a label and its value
    code: str = ""
    border: str = "#56B4E9"

    def __repr__(self) -> str:
        lines = [self.columns, *self.rows] if self.columns else self.rows
        wide = [max(map(len, column)) for column in zip(*lines, strict=True)]
        rows = [
            "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(line, wide, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([self.title, *rows, *self.sentences, *([self.code] if self.code else [])])

    def _repr_html_(self) -> str:
        values = "{}" if self.columns else "<code>{}</code>"
        rows = _html_row("th", "{}", self.columns) if self.columns else ""
        rows += "".join(_html_row("td", values, row) for row in self.rows)
        return (
            f'<div role="status" style="border-left:4px solid {self.border};padding:0.2em 1em">'
            f"<strong>{_html_words(self.title)}</strong>"
            + (f'<table style="margin:0.3em 0">{rows}</table>' if rows else "")
            + "".join(f"<p>{_html_words(sentence)}</p>" for sentence in self.sentences)
            + (f"<pre>{html.escape(self.code)}</pre>" if self.code else "")
            + "</div>"
        )


def _html_words(text: str) -> str:
    """Words as HTML; what is between backticks is code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _html_row(tag: str, values: str, cells: tuple[str, ...]) -> str:
    """A row of a table; `values` is the form of all cells but the first."""
    shown = [html.escape(cells[0]), *(values.format(html.escape(cell)) for cell in cells[1:])]
    style = "text-align:left;padding:0 1em 0 0"
    return "<tr>" + "".join(f'<{tag} style="{style}">{cell}</{tag}>' for cell in shown) + "</tr>"


@dataclass(frozen=True, repr=False)
class Verdict(Card):
    """The answer of a check. `state` is "not attempted", "correct", "wrong" or "error"."""

    state: str = "not attempted"
