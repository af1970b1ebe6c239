"""A learner's notebook as far as an exercise needs it: what its cells import and define before the exercise."""

import ast
import functools
import re
from pathlib import Path

LESSONS = Path(__file__).parents[1] / "lessons"


@functools.cache
def cells(module: str) -> tuple[str, ...]:
    """Return the code cells of a lesson, without magics and cell options."""
    text = next(LESSONS.glob(f"{module.removeprefix('lesson')}_*.md")).read_text(encoding="utf-8")
    found = re.findall(r"```\{code-cell\}[^\n]*\n(.*?)```", text, re.DOTALL)
    return tuple(
        "\n".join(line for line in cell.splitlines() if not line.startswith((":", "%"))) for cell in found
    )


def notebook(module: str, name: str) -> dict:
    """Return what imports and definitions of a lesson bind before its cell `def name`, or before its check."""
    names: dict = {"__name__": "__main__"}
    for cell in cells(module):
        if f".{name}.check(" in cell:
            return names
        for node in ast.parse(cell).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return names
            if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
                exec(ast.unparse(node), names)
    raise LookupError(f"no cell of {module} defines or checks {name}")


def handed_out(module: str, name: str) -> ast.FunctionDef:
    """Return the function `name` as a lesson's cell defines it: what a learner finds there."""
    for cell in cells(module):
        for node in ast.parse(cell).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return node
    raise LookupError(f"no cell of {module} defines {name}")


def paste(module: str, name: str, code: str):
    """Return the function `name` that `code` defines in that notebook, or the value of an expression."""
    names = notebook(module, name)
    if isinstance(ast.parse(code).body[0], ast.Expr):
        return eval(code, names)
    exec(compile(code, f"<{module}, {name}>", "exec"), names)
    return names[name]
