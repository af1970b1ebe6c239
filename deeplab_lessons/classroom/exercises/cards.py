"""What a check, a hint or a solution shows, in a terminal and in a notebook of any theme."""

import html
from dataclasses import dataclass

BORDERS = {"correct": "#009E73", "wrong": "#D55E00", "error": "#CC79A7", "not attempted": "#999999"}


@dataclass(frozen=True)
class Card:
    """Something a check says: text in a terminal, a bordered block in a notebook."""

    title: str
    sentences: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    code: str = ""
    border: str = "#56B4E9"

    def __repr__(self) -> str:
        wide = max((len(label) for label, _ in self.rows), default=0)
        rows = [f"  {label:<{wide}}  {value}" for label, value in self.rows]
        return "\n".join([self.title, *rows, *self.sentences, *([self.code] if self.code else [])])

    def _repr_html_(self) -> str:
        cell = '<td style="text-align:left;padding:0 1em 0 0">{}</td>'
        rows = "".join(
            f"<tr>{cell.format(html.escape(label))}{cell.format(f'<code>{html.escape(value)}</code>')}</tr>"
            for label, value in self.rows
        )
        return (
            f'<div role="status" style="border-left:4px solid {self.border};padding:0.2em 1em">'
            f"<strong>{html.escape(self.title)}</strong>"
            + (f'<table style="margin:0.3em 0">{rows}</table>' if rows else "")
            + "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.sentences)
            + (f"<pre>{html.escape(self.code)}</pre>" if self.code else "")
            + "</div>"
        )


@dataclass(frozen=True, repr=False)
class Verdict(Card):
    """The answer of a check. `state` is "not attempted", "correct", "wrong" or "error"."""

    state: str = "not attempted"
