"""A widget's scripts as one module: imports are followed, each script comes once, other forms are refused."""

from pathlib import Path

import pytest

from deeplab_lessons.classroom.widgets.shared import page
from deeplab_lessons.classroom.widgets.shared.page import compact, joined, scripts, standalone_html


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "a.js").write_text("// a\nexport const A = 1;\nexport class Wrong extends Error {}\n")
    (tmp_path / "b.js").write_text('import { A } from "./a.js";\n\nexport function b() {\n  return A;\n}\n')
    (tmp_path / "own" / "index.js").write_text(
        'import {\n  A,\n  Wrong,\n} from "../a.js";\nimport { b } from "../b.js";\n'
        "function render() {\n  b(A, Wrong);\n}\nexport default { render };\n"
    )
    return tmp_path


def test_every_script_comes_once_and_after_what_it_imports(folder):
    assert [path.name for path in scripts(folder / "own" / "index.js")] == ["a.js", "b.js", "index.js"]
    assert joined(folder / "own" / "index.js") == (
        "// a\nconst A = 1;\nclass Wrong extends Error {}\n\n\nfunction b() {\n  return A;\n}\n\n"
        "function render() {\n  b(A, Wrong);\n}\nexport default { render };\n"
    )


@pytest.mark.parametrize(
    "line", ['import * as a from "./a.js";', 'import "./a.js";', 'import { x } from "three";']
)
def test_imports_of_another_form_are_refused(folder, line):
    (folder / "b.js").write_text(f"{line}\n")
    with pytest.raises(ValueError, match=r"imports must be .*, got 'import .* in index\.js"):
        joined(folder / "own" / "index.js")


def test_a_script_that_is_not_there_is_an_error(folder):
    (folder / "a.js").unlink()
    with pytest.raises(FileNotFoundError, match=r"a\.js"):
        joined(folder / "b.js")


def test_the_page_holds_the_state_and_no_end_of_its_script():
    page = standalone_html("</script>", "", {"width": 3, "_esm": "x", "_model_name": "y"}, title="<b>")
    assert page.count("</script>") == 2 and "<title>&lt;b&gt;</title>" in page
    assert '"state": {"width": 3}' in page


def test_a_compact_script_lost_indentation_and_lines_of_comment_only():
    source = "// a\nf();\n\n  g('// b'); // c\n    // d\n  `e\n"
    assert compact(source) == "f();\ng('// b'); // c\n`e\n"


def test_no_script_holds_a_text_of_several_lines():
    """Its indentation would be lost with that of the code."""
    for path in Path(page.__file__).parent.parent.rglob("*.js"):
        assert all(line.count("`") % 2 == 0 for line in path.read_text().splitlines()), path.name
