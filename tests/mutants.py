"""Small changes to a function's text, each of which a good check should notice."""

import ast
import copy
from collections.abc import Iterator

OPERATORS = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.FloorDiv),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div, ast.Mult),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd, ast.BitXor),
    ast.MatMult: (ast.Mult,),
    ast.Eq: (ast.NotEq, ast.LtE, ast.GtE),
    ast.NotEq: (ast.Eq, ast.Lt, ast.Gt),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
NAMES = {
    "min": ("max",),
    "max": ("min",),
    "any": ("all",),
    "all": ("any",),
    "argmax": ("argmin",),
    "nanmean": ("mean", "nansum"),
    "mean": ("sum",),
    "sum": ("max",),
    "ceil": ("floor",),
    "floor": ("ceil",),
    "round": ("floor",),
    "softmax": ("sigmoid",),
    "log_softmax": ("softmax",),
}


def mutants(source: str) -> dict[str, str]:
    """Return changed copies of a function's `source`: {what was changed: new source}, each of them once.

    Raises ValueError for a `while`: a change can make it endless.
    """
    tree = ast.parse(source)
    if any(isinstance(node, ast.While) for node in ast.walk(tree)):
        raise ValueError("a solution must have no while loop, got one: write it with for")
    before = ast.unparse(tree)
    changed = (
        ast.unparse(ast.fix_missing_locations(_put(tree, path, new)))
        for path, node in _slots(tree, ())
        for new in _changes(node)
    )
    return {_difference(before, after): after for after in changed if after != before}


def _difference(before: str, after: str) -> str:
    """The lines that differ: `return abs(x) -> return x`."""
    old, new = before.splitlines(), after.splitlines()
    first = next(n for n, (a, b) in enumerate(zip([*old, ""], [*new, ""], strict=False)) if a != b)
    last = next(n for n, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=False)) if a != b)
    texts = (lines[first : max(len(lines) - last, first)] for lines in (old, new))
    return " -> ".join("; ".join(map(str.strip, lines)) for lines in texts)


def _slots(node: ast.AST, path: tuple) -> Iterator[tuple[tuple, ast.AST]]:
    """Every expression and statement below `node`, with the way to it; no annotations."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "ctx"):
            continue
        for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                here = (*path, (name, place))
                if isinstance(child, ast.expr | ast.stmt):
                    yield here, child
                yield from _slots(child, here)


def _put(tree: ast.AST, path: tuple, new: ast.AST | None) -> ast.AST:
    """A copy of `tree` with `new` where `path` leads; None takes a statement out."""
    tree = copy.deepcopy(tree)
    node = tree
    for name, place in path[:-1]:
        node = getattr(node, name) if place is None else getattr(node, name)[place]
    name, place = path[-1]
    if place is None:
        setattr(node, name, new)
    else:
        getattr(node, name)[place] = ast.Pass() if new is None else new
    return tree


def _changes(node: ast.AST) -> Iterator[ast.AST | None]:
    changer = globals().get(f"_of_{type(node).__name__.lower()}")
    if changer is not None:
        yield from changer(node)


def _with(node: ast.AST, **fields) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _of_binop(node):
    yield from (_with(node, op=other()) for other in OPERATORS.get(type(node.op), ()))
    yield from (node.left, node.right)


def _of_augassign(node):
    yield from (_with(node, op=other()) for other in OPERATORS.get(type(node.op), ()))
    yield ast.Assign(targets=[node.target], value=node.value)
    yield None


def _of_unaryop(node):
    yield node.operand


def _of_boolop(node):
    yield from (_with(node, op=other()) for other in OPERATORS[type(node.op)])
    yield from node.values


def _of_compare(node):
    for place, op in enumerate(node.ops):
        for other in OPERATORS[type(op)]:
            yield _with(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])
    if len(node.ops) == 2:
        yield ast.Compare(node.left, node.ops[:1], node.comparators[:1])
        yield ast.Compare(node.comparators[0], node.ops[1:], node.comparators[1:])


def _of_constant(node):
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield from (ast.Constant(node.value + 1), ast.Constant(node.value - 1))
    elif isinstance(node.value, float):
        yield from (ast.Constant(node.value * 1.25), ast.Constant(node.value + 1))


def _of_call(node):
    if isinstance(node.func, ast.Attribute):
        yield node.func.value  # x.clamp(0) -> x
    if node.args:
        yield node.args[0]  # abs(x) -> x
    if len(node.args) >= 2:
        yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
    for place in range(len(node.args)):
        yield _with(node, args=node.args[:place] + node.args[place + 1 :])
    for place in range(len(node.keywords)):
        yield _with(node, keywords=node.keywords[:place] + node.keywords[place + 1 :])


def _of_name(node):
    yield from (_with(node, id=other) for other in NAMES.get(node.id, ()))


def _of_attribute(node):
    yield from (_with(node, attr=other) for other in NAMES.get(node.attr, ()))


def _of_subscript(node):
    if isinstance(node.ctx, ast.Load):
        yield node.value


def _of_slice(node):
    for name in ("lower", "upper", "step"):
        if getattr(node, name) is not None:
            yield _with(node, **{name: None})


def _of_tuple(node):
    if len(node.elts) >= 2:
        yield _with(node, elts=[node.elts[1], node.elts[0], *node.elts[2:]])


def _of_ifexp(node):
    yield from (node.body, node.orelse)


def _of_if(node):
    yield from (_with(node, test=ast.Constant(truth)) for truth in (True, False))


def _of_expr(node):
    if not isinstance(node.value, ast.Constant):
        yield None


def _of_listcomp(node):
    for place, each in enumerate(node.generators):
        for condition in range(len(each.ifs)):
            fewer = _with(each, ifs=each.ifs[:condition] + each.ifs[condition + 1 :])
            yield _with(node, generators=[*node.generators[:place], fewer, *node.generators[place + 1 :]])


_of_generatorexp = _of_listcomp


def survivors(exercise, make, changed: dict[str, str]) -> list[str]:
    """Return the changes that `exercise` does not notice; `make` turns a source into a function.

    A change is noticed at the first case it spoils. One that spoils none is checked as an answer is, in full.
    """
    cases = [(args, exercise.reference(*copy.deepcopy(args))) for args in exercise.arguments()]

    def noticed(source: str) -> bool:
        try:
            function = make(source)
            for args, expected in cases:
                if exercise.problem(function(*copy.deepcopy(args)), expected) is not None:
                    return True
        except Exception:
            return True
        return exercise.check(function).state != "correct"

    return [what for what, source in changed.items() if not noticed(source)]
