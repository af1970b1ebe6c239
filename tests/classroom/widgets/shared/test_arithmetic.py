"""JavaScript's arithmetic is Python's, on random stacks and on the papers' networks."""

import random
from pathlib import Path

import pytest

from deeplab_lessons import arithmetic
from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.widgets import ReceptiveFieldExplorer
from deeplab_lessons.classroom.widgets.explorer import to_layers
from deeplab_lessons.classroom.widgets.shared import page as pages_of_widgets

SCRIPT = Path(pages_of_widgets.__file__).with_name("arithmetic.js")

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
      reach: touchedRange(pathCounts(layers, unit, size)),
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
    counts = stacks.path_counts(layers, unit, input_size=case["size"])
    assert answer["counts"] == counts, case
    reach = stacks.back_project(layers, unit, input_size=case["size"])
    assert answer["reach"] == (None if reach is None else list(reach)), case
    assert answer["rows"][0] == counts and sum(answer["rows"][-1]) == 1, case
    return "valid"


@pytest.mark.browser
def test_javascript_agrees_with_python_on_random_stacks(browser):
    rng = random.Random(2)
    cases = [random_case(rng) for _ in range(3000)]
    page = browser.new_page()
    page.add_script_tag(content=pages_of_widgets.joined(SCRIPT))
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
    page.add_script_tag(content=pages_of_widgets.joined(SCRIPT))
    verdicts = [assert_same(*pair) for pair in zip(cases, page.evaluate(ASK, cases), strict=True)]
    assert verdicts == ["valid"] * len(cases)
