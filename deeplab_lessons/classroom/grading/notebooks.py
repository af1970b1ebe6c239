"""A handed-in notebook, read as text: which lesson it is of, and what of it must run for each exercise.

Nothing here runs a line of it. A check needs some of the notebook's statements: its own cell, and of the others those
that bind or change a name which it reads, directly or through other statements. Trainings and figures stay out.
"""

import ast
import builtins
import json
import re
import symtable
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

EXERCISES = "deeplab_lessons.classroom.exercises"
LARGEST = 50_000_000  # bytes of a notebook
_RUNS_PYTHON = ("time", "timeit", "capture", "prun")  # cell magics whose cell is Python below the first line


class Unreadable(ValueError):
    """A file that is not a notebook."""


@dataclass
class Statement:
    """One statement of a cell, with the names that it binds, changes and reads.

    `now` are names that it reads when it runs, `later` those that its functions read when they are called. `whole` is
    False where a name may keep its earlier value: bound in a branch or a loop, or only changed. `attributes` are the
    names after its dots.
    """

    cell: int
    node: ast.stmt
    binds: set[str]
    changes: set[str]
    now: set[str]
    later: set[str]
    whole: bool
    attributes: set[str]

    @property
    def code(self) -> str:
        """The statement's text, without comments."""
        return ast.unparse(self.node)


@dataclass
class Notebook:
    """The statements of a notebook's cells, and by number the cells that are not valid Python, with the error."""

    statements: list[Statement] = field(default_factory=list)
    broken: dict[int, tuple[str, str]] = field(default_factory=dict)  # cell: its text, the error

    @property
    def lessons(self) -> list[str]:
        """The lessons whose exercises it imports."""
        found = [name for each in self.statements for name, _ in _imports(each.node, EXERCISES)]
        names = (re.match(r"lesson\d\d", name.removeprefix(f"{EXERCISES}.")) for name in found)
        return sorted({name.group() for name in names if name})

    def needed(self, exercise: str) -> list[Statement] | None:
        """The statements to run for the last check of an exercise, in order; None where no cell checks it."""
        taken = (pair for each in self.statements for pair in _imports(each.node, EXERCISES))
        names = {local for name, local in taken if name.endswith(f".{exercise}")}
        checks = [place for place, each in enumerate(self.statements) if _checks(each, exercise, names)]
        if not checks:
            return None
        last = checks[-1]
        cell = [
            place for place in range(last + 1) if self.statements[place].cell == self.statements[last].cell
        ]
        found = self._behind(cell, last)
        before, after = [place for place in found if place < last], [place for place in found if place > last]
        return [self.statements[place] for place in (*before[: len(before) - len(cell) + 1], *after, *cell)]

    def fault(self, exercise: str) -> str:
        """What Python says of a broken cell that defines or checks an exercise; "" if there is none."""
        pattern = re.compile(rf"def {exercise}\b|\b{exercise}\s*=|\b{exercise}\.check\b")
        said = [
            f"cell {cell}: {error}" for cell, (text, error) in self.broken.items() if pattern.search(text)
        ]
        return said[-1] if said else ""

    def _behind(self, cell: list[int], last: int) -> list[int]:
        """Places of the statements on which those of a check's `cell` depend, itself included."""
        imported = set().union(*(each.binds for each in self.statements if isinstance(each.node, _IMPORT)))
        found, asked = set(cell), set()
        todo = [(name, place) for place in cell for name in self.statements[place].now]
        todo += [(name, last + 1) for place in cell for name in self.statements[place].later]
        while todo:
            name, bound = todo.pop()
            if (name, bound) in asked:
                continue
            asked.add((name, bound))
            place = self._source(name, bound, imported)
            if place is None:
                continue
            statement = self.statements[place]
            found.add(place)
            todo += [(read, place) for read in statement.now]
            todo += [(read, last + 1) for read in statement.later]
            if not statement.whole and place < bound:
                todo.append((name, place))
        return sorted(found)

    def _source(self, name: str, bound: int, imported: Collection[str]) -> int | None:
        """Place of the statement that last gave `name` its value before `bound`, or else first after it."""

        def gives(each: Statement) -> bool:
            return name in each.binds or (name in each.changes and name not in imported)

        before = (place for place in reversed(range(bound)) if gives(self.statements[place]))
        after = (
            place for place in range(bound, len(self.statements)) if name in self.statements[place].binds
        )
        place = next(before, None)
        if place is None and not hasattr(builtins, name):
            stars = (place for place in reversed(range(bound)) if "*" in self.statements[place].binds)
            place = next(stars, None)
            place = next(after, None) if place is None else place
        return place


def _checks(each: Statement, exercise: str, names: Collection[str]) -> bool:
    """Whether a statement checks an exercise, which the notebook perhaps has under other `names`."""
    own = exercise in each.attributes or not names.isdisjoint(each.now)
    return own and "check" in each.attributes and not isinstance(each.node, _DEFINITION)


_IMPORT = ast.Import | ast.ImportFrom
_DEFINITION = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_WHOLE = _IMPORT | _DEFINITION | ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Delete


def read(path: Path) -> Notebook:
    """Read the code cells of a notebook file. Raises Unreadable, in words, for any other file."""
    if path.is_dir():
        raise Unreadable("this is a folder: pass the notebooks in it")
    try:
        if path.stat().st_size > LARGEST:
            raise Unreadable(f"this file has more than {LARGEST:,} bytes")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except Unreadable:
        raise
    except OSError as error:
        raise Unreadable(f"this file cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise Unreadable("this file is not a notebook: its text is not JSON") from None
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise Unreadable("this file is not a notebook of Jupyter's format 4: it has no cells")
    found = Notebook()
    for number, cell in enumerate(cells, 1):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            _read_cell(found, number, cell.get("source"))
    return found


def _read_cell(found: Notebook, number: int, source: object) -> None:
    text = "".join(map(str, source)) if isinstance(source, list) else str(source or "")
    try:
        nodes = (part for node in _parsed(text).body for part in _each_alone(node))
        found.statements += [_statement(number, node) for node in nodes]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f" in line {error.lineno}: {error.msg}" if isinstance(error, SyntaxError) else ""
        found.broken[number] = text, f"{type(error).__name__}{where}"


def _parsed(text: str) -> ast.Module:
    """The syntax of a cell, without IPython's own lines where Python cannot read it with them."""
    try:
        return ast.parse(text)
    except SyntaxError:
        lines = text.splitlines()
    if lines and lines[0].startswith("%%"):
        name = re.match(r"%%(\w*)", lines[0])[1]
        lines = lines[1:] if name in _RUNS_PYTHON else []
    magic = re.compile(r"(\s*)([%!?]|[\w.]+\s*=\s*[%!]|[\w.]+\?+\s*$).*")
    return ast.parse("\n".join(f"{found[1]}pass" if (found := magic.match(line)) else line for line in lines))


def _each_alone(node: ast.stmt) -> Iterator[ast.stmt]:
    """An import as one import for each name, so that only what is needed is loaded."""
    if isinstance(node, ast.Import):
        yield from (ast.Import([name]) for name in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (ast.ImportFrom(node.module, [name], node.level) for name in node.names)
    else:
        yield node


def _statement(cell: int, node: ast.stmt) -> Statement:
    table = symtable.symtable(ast.unparse(node), "<cell>", "exec")
    symbols = table.get_symbols()
    binds = {
        each.get_name() for each in symbols if each.is_assigned() or each.is_imported() or each.is_namespace()
    }
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        binds = {"*"}
    now = {each.get_name() for each in symbols if each.is_referenced()}
    inner, later = list(table.get_children()), set()
    for scope in inner:  # grows while we walk over it
        inner += scope.get_children()
        symbols = [each for each in scope.get_symbols() if each.is_global()]
        later |= {each.get_name() for each in symbols}
        binds |= {each.get_name() for each in symbols if each.is_assigned()}
    if not isinstance(node, _DEFINITION):
        now |= later  # a comprehension runs at once
    changes = set(_changed(node)) - binds
    attributes = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
    return Statement(cell, node, binds, changes, now, later, isinstance(node, _WHOLE), attributes)


def _changed(node: ast.AST) -> Iterator[str]:
    """Names whose value is changed in place: `x[0] = 1`, `x.size = 1`, `x.append(1)` as a statement."""
    if isinstance(node, _DEFINITION):
        return
    if (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
    ):
        yield from _root(node.value.func)
    if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        yield from _root(node)
    for child in ast.iter_child_nodes(node):
        yield from _changed(child)


def _root(node: ast.AST) -> Iterator[str]:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _imports(node: ast.AST, package: str) -> Iterator[tuple[str, str]]:
    """What an import, also one inside of `node`, takes from a package: full name, and the name that it binds."""
    for each in ast.walk(node):
        if isinstance(each, ast.Import):
            pairs = [(a.name, a.asname or a.name.partition(".")[0]) for a in each.names]
        elif isinstance(each, ast.ImportFrom) and not each.level:
            pairs = [(f"{each.module}.{a.name}", a.asname or a.name) for a in each.names]
        else:
            continue
        yield from (
            (name, local) for name, local in pairs if name == package or name.startswith(f"{package}.")
        )


def hands_in_ours(statements: list[Statement], own: Collection[str]) -> bool:
    """Whether the code takes an answer from the package: a function of a name in `own`, or an exercise's solution."""
    taken = {local: name for each in statements for name, local in _imports(each.node, "deeplab_lessons")}
    functions = {local for local, name in taken.items() if name.rpartition(".")[2] in own}
    functions -= {local for local in functions if taken[local].startswith(EXERCISES)}
    functions -= set().union(*(each.binds for each in statements if not isinstance(each.node, _IMPORT)))
    for statement in statements:
        nodes = list(ast.walk(statement.node))
        asked = {
            id(each.value) for each in nodes if isinstance(each, ast.Attribute) and each.attr in _QUESTIONS
        }
        for node in nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in functions:
                return True
            if isinstance(node, ast.Attribute) and id(node) not in asked:
                source = taken.get(_chain(node), "")
                # `ex.output_size` alone is the exercise itself
                task = source.startswith(EXERCISES) and isinstance(node.value, ast.Name)
                if source and (node.attr in _SOLUTIONS or (node.attr in own and not task)):
                    return True
    return False


_QUESTIONS = ("check", "hint", "solution", "steps")
_SOLUTIONS = ("reference", "misconceptions", "package", "example")


def _chain(node: ast.AST) -> str:
    """First name of `a.b.c`; "" where the chain begins with something else."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
