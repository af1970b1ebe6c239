"""The course's site, as files: every page is there, links lead somewhere, and nothing is loaded from outside."""

import json
import re
from copy import copy
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from answers import all_exercises
from bs4 import BeautifulSoup
from py_mini_racer import MiniRacer
from web import HERE, ROOT

from notebooks import lesson_sources

pytestmark = pytest.mark.slow
LOADS = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src"}
LESSONS = [lesson.stem for lesson in lesson_sources()]


@cache
def read(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="session")
def pages(site):
    """{path of each page of the site: its parsed text}."""
    return {path: read(path) for path in sorted(site.rglob("*.html"))}


def lesson(site, number):
    (name,) = [each for each in LESSONS if each.startswith(number)]
    return read(site / f"lessons/{name}.html")


def loaded(page):
    """The addresses that a page loads by itself."""
    for tag, name in LOADS.items():
        for each in page.find_all(tag, attrs={name: True}):
            if tag != "link" or {"stylesheet", "icon", "preload"} & set(each.get("rel", [])):
                yield each[name]


def test_every_lesson_and_page_of_its_own_is_there_and_named_on_the_first(site):
    first = read(site / "index.html")
    named = {
        link["href"].partition("#")[0] for link in first.find(attrs={"role": "main"}).find_all("a", href=True)
    }
    own = ("ledger", "instructors", "changes", "reference/index", *(f"lessons/{each}" for each in LESSONS))
    explorers = [path.relative_to(site).as_posix() for path in (site / "explorers").glob("*.html")]
    assert {f"{name}.html" for name in own} | set(explorers) <= named
    assert all((site / each).is_file() for each in named if not each.startswith("http") and each)


def test_the_first_page_installs_the_file_that_the_readme_installs(site):
    """The course is on no package index, where somebody else's package might have its name."""
    commands = [each.get_text() for each in read(site / "index.html").select("pre")]
    assert commands[0].splitlines()[1] == "deeplab-lessons lab"
    assert commands[0] in (ROOT / "README.md").read_text() and ".whl[lab]" in commands[0]


def test_every_link_leads_to_a_page_and_a_place_in_it(pages):
    wrong = []
    for path, page in pages.items():
        for link in page.find_all("a", href=True):
            address, place = urldefrag(link["href"])
            if re.match(r"[a-z]+:", address):
                continue
            target = (path.parent / unquote(address)).resolve() if address else path
            if not target.is_file():
                wrong.append(f"{path.name}: {link['href']}")
            elif place and place != "top" and target.suffix == ".html":
                there = read(target).find(id=unquote(place)) or read(target).find(attrs={"name": place})
                wrong += [] if there else [f"{path.name}: {link['href']}"]
    assert wrong == []


def test_no_page_loads_anything_from_outside_or_anything_that_is_missing(pages, site):
    for path, page in pages.items():
        for address in loaded(page):
            if not address.startswith("data:"):
                assert not re.match(r"[a-z]*:?//", address), (path.name, address)
                assert (path.parent / address.partition("?")[0]).is_file(), (path.name, address)
    for sheet in site.rglob("*.css"):
        for address in re.findall(r"url\(['\"]?([^)'\"]+)", sheet.read_text(encoding="utf-8")):
            assert address.startswith(("data:", "#")) or (sheet.parent / address).is_file(), (
                sheet.name,
                address,
            )


def test_no_page_is_large(pages):
    """1.2 MB is what a phone loads in about a second; figures come when the reader comes near them."""
    for path, page in pages.items():
        files = {
            path.parent / each.partition("?")[0] for each in loaded(page) if not each.startswith("data:")
        }
        lazy = {path.parent / each["src"] for each in page.find_all("img", loading="lazy")}
        total = path.stat().st_size + sum(file.stat().st_size for file in files - lazy)
        assert total < 1.2e6, (path.name, total)


def test_every_formula_is_set(pages):
    for path, page in pages.items():
        page = copy(page)
        for tex in page.select("annotation, script, style, pre, code"):
            tex.extract()
        left = re.findall(r"\$[^$\s][^$]*\$|\\(?:frac|sum|left|mathbf|begin)\b", page.get_text())
        assert left == [] and not page.select(".katex-error"), path.name


def test_every_figure_has_a_text_that_is_no_file_name(pages):
    for path, page in pages.items():
        for image in page.find(attrs={"role": "main"}).find_all("img"):
            alt = image.get("alt", "")
            assert len(alt) > 8 and not alt.endswith((".png", ".jpeg")), (path.name, image)


def test_no_lesson_shows_what_only_a_kernel_would_keep_moving(pages):
    for path, page in pages.items():
        text = page.get_text()
        assert "jupyter.widget" not in text and "FloatProgress" not in text and "MODEL_" not in text, (
            path.name
        )


@pytest.mark.parametrize("number", sorted({module.removeprefix("lesson") for module, *_ in all_exercises()}))
def test_every_exercise_has_its_hints_and_its_solution_folded(number, site):
    cards = {each.code.get_text(): each for each in lesson(site, number).select(".dl-exercise")}
    for module, name, exercise in all_exercises():
        if module != f"lesson{number}":
            continue
        assert cards[name].find("a", href="../index.html#in-jupyterlab")
        folded = [" ".join(each.get_text().split()) for each in cards[name].find_all("details", open=False)]
        assert len(folded) == len(exercise.hints) + 1
        for text, words in zip(folded, (*exercise.hints, exercise.solution().code), strict=True):
            assert " ".join(words.replace("`", "").split()) in text, name


def test_no_table_has_a_heading_without_words(pages):
    for path, page in pages.items():
        assert all(each.get_text(strip=True) for each in page.find_all("th")), path.name


def test_a_lesson_leads_to_its_neighbours(site):
    page = lesson(site, "02")
    turned = [link["href"] for link in page.select(".related-pages a")]
    assert turned == ["03_receptive_fields.html", "01_what_a_classifier_forgets.html"]


@pytest.fixture(scope="session")
def ranked(site):
    """Call search.js with the site's own index: addresses of the sections for a query, best first."""
    engine = MiniRacer()
    engine.eval((site / "_static/search_index.js").read_text(encoding="utf-8"))
    engine.eval((HERE / "static/search.js").read_text(encoding="utf-8"))
    return lambda query: json.loads(
        engine.eval(f"JSON.stringify(rank(SECTIONS, {json.dumps(query)}).map(([address]) => address))")
    )


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("gridding", "lessons/02_dilated_convolution.html"),
        ("Receptive fields", "lessons/03_receptive_fields.html"),
        ("permutohedral lattice", "lessons/07_a_crf_fast_enough.html"),
        ("refine", "reference/crf.html#deeplab_lessons.crf.refine"),
    ],
)
def test_the_search_finds_what_it_should_find_first(ranked, query, page):
    assert (ranked(query)[0] + "#").startswith(page + "#")


def test_the_search_wants_every_word_and_takes_signs_as_they_are(ranked):
    assert ranked("gridding zebra") == [] and ranked("") == [] and ranked("(.*)[") == []
    assert set(ranked("gridding dilation")) <= set(ranked("gridding"))


def test_another_folder_is_not_overwritten(tmp_path):
    from web.site import build

    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(ValueError, match="holds other files: pass an empty folder"):
        build(tmp_path)
    assert Path(tmp_path, "mine.txt").read_text() == "kept"
