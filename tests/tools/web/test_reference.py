"""Docstrings are Markdown, and Sphinx reads another markup."""

import pytest
from web import reference


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("`code`, **bold** and a * b", "``code``, **bold** and a \\* b"),
        ("two `Layer`s of |x|", "two ``Layer``\\ s of \\|x\\|"),
        ("``[N, C]`` or `**options`", "``[N, C]`` or ``**options``"),
    ],
)
def test_code_and_bold_are_kept_and_other_signs_are_themselves(markdown, expected):
    lines = [markdown]
    reference.as_restructured(lines)
    assert lines == [expected]
