"""The widgets from Python's side, and their JavaScript arithmetic against Python's on random stacks."""

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest

from deeplab_lessons import arithmetic, stacks
from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom.widgets import ReceptiveFieldExplorer, SlidingKernel, words
from deeplab_lessons.classroom.widgets.explorer import to_layers
from deeplab_lessons.classroom.widgets.words_crf import CRF
from deeplab_lessons.classroom.widgets.words_edits import EDITS
from deeplab_lessons.classroom.widgets.words_mean_field import KERNELS
from deeplab_lessons.classroom.widgets.words_valid_taps import VALID_TAPS

FOLDER = Path(words.__file__).parent
SCRIPTS = sorted(FOLDER.glob("*.js"))


# --- the explorer -------------------------------------------------------------------------------------------


def test_explorer_starts_in_the_middle_and_prints_stably():
    explorer = ReceptiveFieldExplorer()
    assert repr(explorer) == "ReceptiveFieldExplorer(3 layers, unit [10, 10])"
    assert explorer._repr_mimebundle_()[0]["text/plain"] == repr(explorer)
    expected = {"size": 7, "jump": 1, "start": 0.0, "out": 21, "box": ((7, 13), (7, 13))}
    assert explorer.receptive_field == expected


@pytest.mark.parametrize("preset", ReceptiveFieldExplorer.presets())
def test_every_preset_is_a_whole_working_stack(preset):
    explorer = ReceptiveFieldExplorer()
    explorer.preset = preset
    assert explorer.preset == preset
    same = ReceptiveFieldExplorer(preset)
    assert (same.layers, same.input_size, same.unit) == (explorer.layers, explorer.input_size, explorer.unit)
    last = arithmetic.receptive_fields(to_layers(explorer.layers), explorer.input_size)[-1]
    assert explorer.receptive_field["size"] == last.size
    assert explorer.unit == [(last.out - 1) // 2] * 2


def test_known_fields_of_the_presets():
    sizes = {
        name: ReceptiveFieldExplorer(name).receptive_field["size"]
        for name in ReceptiveFieldExplorer.presets()
    }
    assert sizes["vgg16"] == sizes["deeplab-v1"] == sizes["deeplab-v1-largefov"] == 404
    # 212 before fc6 at jump 8, and 2 * rate * 8 more
    assert [sizes[f"aspp-{rate}"] for rate in (6, 12, 18, 24)] == [308, 404, 500, 596]
    assert (sizes["plain"], sizes["dilated-1-2-4"], sizes["gridding-2-2-2"]) == (7, 15, 13)


def test_layers_may_be_layers_or_dicts_and_come_back_as_dicts():
    explorer = ReceptiveFieldExplorer(
        [Layer(3, padding=(1, 2)), {"kernel_size": 2, "stride": 2, "name": "pool"}]
    )
    assert explorer.layers == [
        {"name": "layer 1", "kernel_size": 3, "stride": 1, "padding": [1, 2], "dilation": 1},
        {"name": "pool", "kernel_size": 2, "stride": 2, "padding": 0, "dilation": 1},
    ]
    assert (explorer.preset, explorer.input_size) == ("own", 64)
    explorer.layers = explorer.layers[:1]
    assert explorer.receptive_field["out"] == 65
    ceil = ReceptiveFieldExplorer([Layer(3, 2, ceil_mode=True)], input_size=12)
    assert ceil.receptive_field["out"] == 6


def test_changing_the_stack_keeps_the_unit_on_the_map_and_the_preset_true():
    explorer = ReceptiveFieldExplorer("plain", unit=(20, 3))
    assert explorer.preset == "plain"
    explorer.layers = [Layer(3, 2)]
    assert (explorer.unit, explorer.preset) == ([9, 3], "own")
    explorer.input_size = 9
    assert explorer.unit == [3, 3]
    explorer.unit = np.array([1, 2])
    assert explorer.unit == [1, 2] and all(type(place) is int for place in explorer.unit)


@pytest.mark.parametrize(
    ("trait", "value", "error", "words_expected"),
    [
        ("layers", [{"kernel_size": 3, "dilation": 0}], ValueError, "has dilation 1 .* not 0"),
        ("layers", [Layer(9), Layer(19, name="wide")], ValueError, "layer 'wide': the kernel covers 19"),
        ("layers", [{"kernel_size": 3, "dilaton": 2}], ValueError, "unknown 'dilaton'; a layer may have"),
        ("layers", [{"stride": 2}], ValueError, "no 'kernel_size'"),
        ("layers", [3], TypeError, "layer 1 must be an arithmetic.Layer or a dict"),
        ("layers", "vgg16", TypeError, "set explorer.preset = 'vgg16'"),
        ("layers", Layer(3), TypeError, "got a single layer"),
        (
            "layers",
            [{"kernel_size": 3, "stride": 2, "padding": "same"}],
            ValueError,
            "keeps the size at stride 1",
        ),
        ("unit", [0, 21], IndexError, "column 21 asked for, but the output has columns 0 to 20"),
        ("unit", 4, TypeError, r"unit must be \[row, column\]"),
        ("unit", [1, 2, 3], TypeError, r"unit must be \[row, column\]"),
        ("input_size", 0, ValueError, "input_size must be at least 1"),
        ("input_size", 4000, ValueError, "at most 1025"),
        ("input_size", 21.5, TypeError, "must be a whole number"),
        ("preset", "vgg19", ValueError, "no preset 'vgg19'; there are: plain"),
    ],
)
def test_impossible_values_are_refused_in_words_and_change_nothing(trait, value, error, words_expected):
    explorer = ReceptiveFieldExplorer()
    before = (explorer.layers, explorer.unit, explorer.input_size, explorer.preset)
    with pytest.raises(error, match=words_expected):
        setattr(explorer, trait, value)
    assert (explorer.layers, explorer.unit, explorer.input_size, explorer.preset) == before


def test_gridding_shows_in_the_path_counts():
    holes = ReceptiveFieldExplorer("gridding-2-2-2").path_counts[0][4:17]
    assert holes == [1, 0, 3, 0, 6, 0, 7, 0, 6, 0, 3, 0, 1]


def test_photograph_by_name_or_array():
    assert ReceptiveFieldExplorer(photograph="coffee")._photo != ReceptiveFieldExplorer()._photo
    grey = np.full((40, 60, 3), 128, np.uint8)
    assert ReceptiveFieldExplorer(photograph=grey)._photo.startswith("data:image/jpeg;base64,")
    with pytest.raises(ValueError, match=r"shape \[H, W, 3\]"):
        ReceptiveFieldExplorer(photograph=grey[..., 0])


def test_what_the_browser_sends_in_one_message_is_taken_whole():
    explorer = ReceptiveFieldExplorer("plain", unit=[20, 20])
    plain = ReceptiveFieldExplorer([Layer(3, 2)], input_size=9)
    explorer.set_state({"layers": plain.layers, "input_size": 9, "unit": [3, 3], "preset": "own"})
    assert (explorer.input_size, explorer.unit, explorer.preset) == (9, [3, 3], "own")
    vgg = explorer._presets["vgg16"]
    explorer.set_state({"layers": vgg["layers"], "input_size": 513, "unit": [4, 4], "preset": "vgg16"})
    assert (explorer.preset, explorer.receptive_field["size"], explorer.unit) == ("vgg16", 404, [4, 4])


def test_the_state_is_small():
    state = ReceptiveFieldExplorer().get_state()
    assert (
        len(json.dumps({name: value for name, value in state.items() if name not in ("_esm", "_css")}))
        < 40_000
    )


# --- the sliding kernel -------------------------------------------------------------------------------------


def test_sliding_kernel_answers_like_the_arithmetic():
    kernel = SlidingKernel(12, 3, stride=2, padding=1, dilation=2, position=4)
    assert kernel.output_size == arithmetic.output_size(12, 3, 2, 1, 2) == 5
    assert (kernel.effective_kernel_size, kernel.taps) == (5, [7, 9, 11])
    assert (
        repr(kernel)
        == "SlidingKernel(input_size=12, kernel_size=3, stride=2, padding=1, dilation=2, position=4)"
    )
    kernel.stride = 6
    assert (kernel.output_size, kernel.position) == (2, 1)


@pytest.mark.parametrize(
    ("trait", "value", "error", "words_expected"),
    [
        ("dilation", 0, ValueError, "has dilation 1"),
        ("dilation", 9, ValueError, "the kernel covers 19 cells"),
        ("padding", "same", TypeError, "one whole number"),
        ("position", 10, IndexError, "cells 0 to 9"),
        ("input_size", 65, ValueError, "at most 64"),
    ],
)
def test_sliding_kernel_refuses_in_words(trait, value, error, words_expected):
    kernel = SlidingKernel()
    with pytest.raises(error, match=words_expected):
        setattr(kernel, trait, value)
    assert repr(kernel) == repr(SlidingKernel())


# --- words and files ----------------------------------------------------------------------------------------


def test_every_word_the_scripts_ask_for_is_there_and_none_is_left_over():
    source = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    asked = set(re.findall(r'words\.(\w+)|say\(words, "(\w+)"|new Impossible\("(\w+)"', source))
    asked = {name for group in asked for name in group if name}
    assert asked <= set().union(words.EXPLORER, words.SLIDING, EDITS, CRF, KERNELS, VALID_TAPS)
    known = set(words.EXPLORER) | set(words.SLIDING)
    families = re.findall(r"words\[`(\w*)\$\{", source) + re.findall(r"Impossible\(`(\w+)\$\{", source)
    by_family = {name for name in known if any(family and name.startswith(family) for family in families)}
    literal = {name for name in known if f'"{name}"' in source or f"{name}:" in source}
    assert known - asked - by_family - literal == set()


def test_nothing_in_the_widgets_asks_the_network():
    for path in [*SCRIPTS, *FOLDER.glob("*.css")]:
        assert not re.search(
            r"https?://|@import|fetch\(|XMLHttpRequest|WebSocket", path.read_text(encoding="utf-8")
        )


# --- JavaScript's arithmetic is Python's --------------------------------------------------------------------

ASK = """
(cases) => cases.map(({ layers, size, share }) => {
  try {
    const fields = receptiveFields(layers, size);
    const unit = Math.floor(share * fields.at(-1).out);
    return {
      unit,
      fields: fields.map((f) => [f.size, f.jump, f.first, f.out, startOf(f), ...boxOf(f, unit)]),
      covers: layers.map(covers),
      counts: Array.from(pathCounts(layers, unit, size)),
      reach: backProject(layers, unit, size),
      rows: pathsByRow(layers, unit, size).map((row) => Array.from(inside(row))),
    };
  } catch (error) {
    if (!(error instanceof Impossible)) throw error;
    return { reason: error.reason, layer: error.values.layer ?? "" };
  }
})
"""

SAME_SENSE = {
    "least_kernel_size": "kernel_size must be at least 1",
    "least_stride": "stride must be at least 1",
    "least_dilation": "dilation must be at least 1",
    "least_padding": "padding must be at least 0",
    "least_input_size": "input_size must be at least 1",
    "not_whole": "must be a whole number",
    "same_stride": "keeps the size at stride 1 only",
    "padding_form": "pair",
    "too_small": "the output size would be below 1",
}


def random_case(rng: random.Random) -> dict:
    """A stack of up to 6 layers; about one case in four has a number that cannot be."""
    layers = []
    for place in range(1, rng.randint(0, 6) + 1):
        kernel, dilation = rng.randint(1, 5), rng.randint(1, 4)
        stride = rng.choice([1, 1, 1, 2, 3])
        padding = rng.choice([0, dilation, rng.randint(0, 6), [rng.randint(0, 4), rng.randint(0, 4)]])
        padding = "same" if stride == 1 and rng.random() < 0.2 else padding
        layer = {"name": f"layer {place}", "kernel_size": kernel, "stride": stride}
        layers.append(layer | {"padding": padding, "dilation": dilation, "ceil_mode": rng.random() < 0.3})
    if layers and rng.random() < 0.25:
        wrong = rng.choice(
            [
                *({"kernel_size": 0}, {"stride": 0}, {"dilation": 0}, {"padding": -1}, {"padding": [1, -2]}),
                *(
                    {"padding": "same", "stride": 2},
                    {"padding": "full"},
                    {"padding": [1, 2, 3]},
                    {"dilation": 1.5},
                ),
            ]
        )
        rng.choice(layers).update(wrong)
    size = 0 if rng.random() < 0.02 else rng.randint(1, 60)
    return {"layers": layers, "size": size, "share": rng.random()}


def assert_same(case: dict, answer: dict) -> str:
    """Compare one answer of JavaScript with Python's; returns "valid" or the reason of refusal."""
    try:
        layers = to_layers(case["layers"])
        fields = arithmetic.receptive_fields(layers, case["size"])
    except (TypeError, ValueError) as error:
        assert SAME_SENSE[answer["reason"]] in str(error), case
        assert answer["reason"] == "least_input_size" or f"layer {answer['layer']!r}" in str(error), case
        return answer["reason"]
    unit = answer["unit"]
    assert answer["fields"] == [[f.size, f.jump, f.first, f.out, f.start, *f.box(unit)] for f in fields], case
    assert answer["covers"] == [layer.covers for layer in layers], case
    counts = arithmetic.path_counts(layers, unit, input_size=case["size"])
    assert answer["counts"] == counts, case
    reach = arithmetic.back_project(layers, unit, input_size=case["size"])
    assert answer["reach"] == (None if reach is None else list(reach)), case
    assert answer["rows"][0] == counts and sum(answer["rows"][-1]) == 1, case
    return "valid"


@pytest.mark.browser
def test_javascript_agrees_with_python_on_random_stacks(browser):
    rng = random.Random(2)
    cases = [random_case(rng) for _ in range(3000)]
    page = browser.new_page()
    page.add_script_tag(content=(FOLDER / "arithmetic.js").read_text(encoding="utf-8"))
    verdicts = [assert_same(*pair) for pair in zip(cases, page.evaluate(ASK, cases), strict=True)]
    assert verdicts.count("valid") >= 1000
    assert set(verdicts) == {"valid", *SAME_SENSE}  # every kind of refusal has occurred


@pytest.mark.browser
def test_javascript_agrees_with_python_on_the_papers_networks(browser):
    nets = [stacks.vgg16(), stacks.deeplab_v1(), stacks.deeplab_v1(3, 12)]
    layers = [ReceptiveFieldExplorer(net, input_size=321).layers for net in nets]
    cases = [
        {"layers": stack, "size": size, "share": s}
        for stack in layers
        for size in (321, 513)
        for s in (0, 0.5)
    ]
    page = browser.new_page()
    page.add_script_tag(content=(FOLDER / "arithmetic.js").read_text(encoding="utf-8"))
    verdicts = [assert_same(*pair) for pair in zip(cases, page.evaluate(ASK, cases), strict=True)]
    assert verdicts == ["valid"] * len(cases)
