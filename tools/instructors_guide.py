"""The instructor's guide, one HTML page: `python tools/instructors_guide.py build/instructors.html`.

Goals, questions to ask aloud, plans and the pages on grading are written in lessons/instructors/. Minutes, exercises,
solutions, wrong answers and predictions come from the lessons and from what their modules declare.
"""

import ast
import html
import importlib
import inspect
import os
import pkgutil
import re
import sys
import textwrap
from pathlib import Path

from nbconvert.filters.markdown_mistune import markdown2html_mistune

from deeplab_lessons.classroom import exercises, predictions
from deeplab_lessons.classroom.exercises.base import Exercise
from deeplab_lessons.classroom.exercises.designs import Design, singular
from deeplab_lessons.classroom.exercises.orders import Order
from deeplab_lessons.classroom.predictions.framework import Prediction
from notebooks import ROOT, lesson_sources, read_lesson

WRITTEN = ROOT / "lessons/instructors"
DAY_BEGINS = 9 * 60  # minutes after midnight
PAGES = {  # file in lessons/instructors: its title; `lessons` is the long part in the middle
    "plans": "Plans",
    "offline": "What to prepare",
    "lessons": "Lesson by lesson",
    "grading": "Grading",
    "hubs": "Hubs and containers",
    "otter": "Otter-Grader",
    "nbgrader": "nbgrader",
}
STYLE = """
:root { color-scheme: light dark; --ink: #222; --paper: #fff; --pale: #f4f4f4; --line: #ccc; --accent: #0060a0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ddd; --paper: #181818; --pale: #262626; --line: #555; --accent: #6cb8f0; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
a { color: var(--accent); }
a.anchor-link { display: none; }
h2 { border-bottom: 2px solid var(--line); margin-top: 3rem; }
h4 { margin-bottom: .3rem; }
h4 small { font-weight: normal; }
pre { background: var(--pale); padding: .6rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
code { background: var(--pale); overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); }
.answer { border-left: 4px solid var(--accent); padding-left: 1rem; }
@media (max-width: 40rem) { table { display: block; overflow-x: auto; } }
@media print {
  :root { --ink: #000; --paper: #fff; --pale: #f4f4f4; --line: #999; --accent: #000; }
  body { font-size: 10pt; max-width: none; margin: 0; }
  h2 { break-before: page; }
  h3, h4 { break-after: avoid; }
  pre, tr, .answer { break-inside: avoid; }
}
"""


# ---------------------------------------------------------------- what lessons and declarations say


def minutes(lesson):
    """Return the minutes that a lesson names for itself; computing is in them."""
    found = re.search(r"\*\*Time:?\*\*:?\s+(?:about )?(\d+) minutes", lesson.read_text(encoding="utf-8"))
    return int(found[1])


def title(lesson):
    """Return a lesson's title, with its number: 03 · Receptive fields."""
    return re.search(r"^# (.+)$", lesson.read_text(encoding="utf-8"), re.M)[1]


def declared(package, number, kind):
    """Return {name: object} of what a lesson's module in `package` declares of a `kind`; {} if it has no module."""
    name = f"lesson{number}"
    if name not in {module.name for module in pkgutil.iter_modules(package.__path__)}:
        return {}
    module = importlib.import_module(f"{package.__name__}.{name}")
    return {key: value for key, value in vars(module).items() if isinstance(value, kind)}


def tasks(lesson):
    """Return {exercise: its text in the lesson}: what is between its heading, or its number in bold, and its check."""
    found, text = {}, ""
    for cell in read_lesson(lesson).cells:
        if cell.cell_type == "markdown":
            text += f"\n\n{cell.source}"
        elif check := re.search(r"^ex\.(\w+)\.check\(", cell.source, re.M):
            text = re.split(r"^#{2,4} .*$|^(?=\*\*\d\.)", text, flags=re.M)[-1]
            found[check[1]], text = text.strip(), ""
    return found


def written(name):
    """Return a page of lessons/instructors/ as Markdown."""
    return (WRITTEN / f"{name}.md").read_text(encoding="utf-8")


def sections():
    """Return {number of a lesson: goal and questions, as Markdown}."""
    parts = re.split(r"^## (\d\d)$", written("lessons"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


# ---------------------------------------------------------------- in HTML


def markdown(text):
    """Return Markdown as HTML; formulas stay as they are written, in a code font."""
    return markdown2html_mistune(re.sub(r"(?<![\\$])\$([^$\n]+)\$", r"`\1`", text))


def spoken(text):
    """Return a sentence of a check, hint or prediction as HTML, its code in a code font."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def listed(items, tag="ul"):
    """Return texts as a list, or nothing for none."""
    inside = "".join(f"<li>{item}</li>" for item in items)
    return f"<{tag}>{inside}</{tag}>" if inside else ""


def planned(text):
    """Return the plans with their minutes and hours: {minutes} are those of the lessons linked in the cell before."""
    own = {lesson.stem[:2]: minutes(lesson) for lesson in lesson_sources()}
    lines, now = [], DAY_BEGINS
    for line in text.splitlines():
        cells = line.split("|")
        for place, cell in enumerate(cells):
            if "{minutes}" in cell:
                total = sum(own[number] for number in re.findall(r"#lesson-(\d\d)", cells[place - 1]))
                cells[place] = cell.replace("{minutes}", str(total))
        if "{clock}" in line:
            cells[1] = f" {now // 60}:{now % 60:02} "
            now += sum(map(int, re.findall(r"\d+", cells[3])))
        lines.append("|".join(cells))
    return "\n".join(lines)


def exercise_part(exercise, task):
    """Return an exercise as HTML: task, hints, solution, and what goes wrong."""
    parts = [f"<h4><code>{exercise.name}</code> <small>{exercise.kind}</small></h4>", markdown(task)]
    if isinstance(exercise, Order):
        parts += [listed(f"{letter}. {html.escape(text)}" for letter, text in exercise.steps().rows)]
    if exercise.kind == "repair":
        parts += [f"<pre>{html.escape(handed_out(exercise))}</pre>"]
    parts += ["<p>Hints:</p>", listed(map(spoken, exercise.hints), "ol")]
    parts += [f"<div class='answer'><p>Solution:</p><pre>{html.escape(exercise.solution().code)}</pre></div>"]
    return "\n".join([*parts, *wrong_answers(exercise)])


def handed_out(exercise):
    """Return the broken function of a repair as the lesson's cell has it."""
    source = textwrap.dedent(inspect.getsource(exercise.fault.answer))
    return source[source.index("def ") :].replace(exercise.fault.answer.__name__, exercise.name, 1).rstrip()


def wrong_answers(exercise):
    """Return what goes wrong in an exercise: known wrong answers, wanted properties, or steps that come too early."""
    if isinstance(exercise, Design):
        return [
            "<p>Any design is right that has:</p>",
            listed(html.escape(each.text) for each in exercise.properties),
        ]
    if isinstance(exercise, Order):
        letter = {step.__name__: label for label, step in exercise.letters.items()}
        why = [
            f"{letter[step]} before {letter[need]}: {spoken(words)}"
            for (step, need), words in exercise.why.items()
        ]
        return ["<p>Steps that come too early, and what the check says:</p>", listed(why)]
    wrong = [
        recognised(each.answer, exercise.name) + spoken(each.message) for each in exercise.misconceptions
    ]
    if exercise.kind == "repair":
        wrong[0] = f"As it is handed out:<br>{spoken(exercise.fault.message)}"
    return ["<p>Wrong answers, and what the check says:</p>", listed(wrong)]


def prediction_part(prediction):
    """Return a prediction as HTML: question, options, the computed answer, and what is said of known slips."""
    answer = html.escape(in_words(prediction, prediction.answer.value))
    if prediction.tolerance:
        answer += f" (±{prediction.tolerance:g} is right)"
    options = f"<p>Options: {html.escape('; '.join(prediction.options))}</p>" if prediction.options else ""
    slips = [
        f"{html.escape(in_words(prediction, slip))}: {spoken(words)}"
        for slip, words in prediction.slips.items()
    ]
    asked = f"<h4>{html.escape(prediction.question)}</h4>{options}<p class='answer'>Answer: {answer}</p>"
    return asked + ("<p>Slips:</p>" + listed(slips) if slips else "")


def in_words(prediction, value):
    """Return an answer as a reader gives it: a number with its unit, an option, or options in order."""
    if prediction.kind == "number":
        unit = singular(prediction.unit) if value == 1 else prediction.unit
        return f"{round(value, 3):,}".removesuffix(".0") + f" {unit}".rstrip()
    return value if isinstance(value, str) else ", then ".join(value)


def recognised(answer, name):
    """Return the one expression that a wrong answer returns, by which it is known; nothing for a longer one.

    In it, the exercise's `name` is its solution. What only its declaration knows is left out.
    """
    body = ast.parse(textwrap.dedent(inspect.getsource(answer))).body[0].body
    owner = answer.__qualname__.partition(".")[0]
    shown = ast.unparse(body[0]).removeprefix("return ").replace(f"{owner}.{name}(", f"{name}(")
    own = any(isinstance(node, ast.Name) and node.id.startswith("_") for node in ast.walk(body[-1]))
    if len(body) > 1 or own or not isinstance(body[0], ast.Return) or f"{owner}." in shown:
        return ""
    return f"<code>{html.escape(shown)}</code><br>"


def lesson_part(lesson, asked, address):
    """Return a lesson's section: goal, minutes, what to ask aloud, predictions and exercises."""
    number, texts = lesson.stem[:2], tasks(lesson)
    parts = [f"<h2 id='lesson-{number}'>{html.escape(title(lesson))}</h2>"]
    parts += [f"<p>{minutes(lesson)} minutes · <a href='{address.format(lesson.stem)}'>the lesson</a></p>"]
    parts += [markdown(asked)]
    if found := declared(predictions, number, Prediction):
        parts += ["<h3>Predictions</h3>", *map(prediction_part, found.values())]
    if found := declared(exercises, number, Exercise):
        parts += ["<h3>Exercises</h3>"]
        parts += [exercise_part(exercise, texts.get(name, "")) for name, exercise in found.items()]
    return "\n".join(parts)


def guide():
    """Return the whole guide as one page that needs no other file."""
    head = "<meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
    head += f"<title>For instructors</title><style>{STYLE}</style>"
    inside = body("../notebooks/{}.ipynb")
    return f"<!doctype html>\n<html lang='en'><head>{head}</head>\n<body>\n{inside}\n</body></html>\n"


def body(address):
    """Return what is in the guide, as HTML; the course's site has it too. `address` is a lesson's, {} its name."""
    lessons, asked = lesson_sources(), sections()
    contents = []
    for name, heading in PAGES.items():
        inside = listed(
            f"<a href='#lesson-{each.stem[:2]}'>{html.escape(title(each))}</a>" for each in lessons
        )
        contents += [f"<a href='#{name}'>{heading}</a>" + inside * (name == "lessons")]
    parts = ["<h1>DeepLab, from the arithmetic up: for instructors</h1>"]
    parts += [f"<nav aria-label='Contents of the guide'>{listed(contents)}</nav>"]
    for name, heading in PAGES.items():
        parts += [f"<h2 id='{name}'>{heading}</h2>"]
        if name == "lessons":
            parts += [lesson_part(lesson, asked[lesson.stem[:2]], address) for lesson in lessons]
        else:
            parts += [markdown(planned(written(name)) if name == "plans" else written(name))]
    return "\n".join(parts)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: python tools/instructors_guide.py PAGE.html")
    os.environ.pop("DEEPLAB_LESSONS_SOLUTIONS", None)  # it hides solutions from learners, not from this page
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(guide(), encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
