"""The CRF explorer: its numbers are the package's, dragging never queues up, and its page explains itself."""

import base64
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import traitlets
from pages import FRAME, picture, play_kernel
from PIL import Image

from deeplab_lessons import crf, metrics
from deeplab_lessons.classroom import tiny_crf
from deeplab_lessons.classroom.widgets import crf as crf_widget
from deeplab_lessons.classroom.widgets.crf import NUMBERS, RANGES, CRFExplorer
from deeplab_lessons.classroom.widgets.shared.page import joined

SETTING = crf.Parameters(w1=10, sigma_alpha=20, sigma_beta=13, w2=2, sigma_gamma=2, iterations=3)


def example(height=60, width=300):
    """A dark and a light half, and scores that put the border 5 pixels too far to the right."""
    picture = np.full((height, width, 3), 40, np.uint8)
    picture[:, width // 2 :] = 200
    labels = (picture[..., 0] > 100).astype(np.uint8)
    margin = torch.linspace(-3, 3, width).roll(5).clamp(-2, 2).expand(height, width)
    return picture, torch.stack([-margin, margin]), labels


def explorer(**more):
    picture, scores, labels = example()
    numbers = {name: getattr(SETTING, name) for name in NUMBERS}
    return CRFExplorer(picture, scores, labels=labels, **numbers | more)


def drawn(data_url):
    head, code = data_url.split(",")
    return Image.open(io.BytesIO(base64.b64decode(code))), head


def request(number="1", reduced=True, **numbers):
    full = {name: getattr(SETTING, name) for name in NUMBERS} | numbers
    return {"number": number, "reduced": reduced, "numbers": full}


def test_labels_share_and_score_are_the_package_s():
    picture, scores, labels = example()
    widget = explorer()
    after = crf.DenseCRF(SETTING)(scores, torch.tensor(picture).permute(2, 0, 1)).argmax(0).numpy()
    before = scores.argmax(0).numpy()
    assert widget.changed == pytest.approx(100 * (after != before).mean())
    pairs = [100 * metrics.mean_iou(metrics.confusion_matrix(m, labels, 2)) for m in (before, after)]
    assert widget.mean_iou == pytest.approx(pairs) and widget.mean_iou[1] > widget.mean_iou[0] + 2
    assert f"{widget.changed:.1f} % of the pixels" in widget.caption
    assert widget._answer["size"] == "300 × 60 px" and widget._answer["reduced"] is False
    image, _ = drawn(widget._drawn["after"])
    assert (np.array(image) == after).all() and image.info["transparency"] == 0
    marks, _ = drawn(widget._drawn["changed"])
    assert (np.array(marks) == (after != before)).all()


def test_a_number_set_from_python_redraws_everything():
    widget = explorer()
    seen = widget._drawn, widget.changed, widget.caption
    widget.w1 = 0
    assert all(
        old != new for old, new in zip(seen, (widget._drawn, widget.changed, widget.caption), strict=True)
    )
    widget.iterations = 0
    assert widget.changed == 0 and widget.mean_iou[0] == widget.mean_iou[1]


def test_a_drag_is_computed_small_and_the_release_in_full():
    widget = explorer()
    widget._request = request("a-1", sigma_alpha=30)
    assert widget.sigma_alpha == 30
    assert widget._answer["number"] == "a-1" and widget._answer["size"] == "150 × 30 px"
    assert drawn(widget._drawn["after"])[0].size == (150, 30)
    assert drawn(widget._drawn["changed"])[0].size == (300, 60)
    small = widget.changed
    widget._request = request("a-2", reduced=False, sigma_alpha=30)
    assert widget._answer["size"] == "300 × 60 px" and widget.changed == pytest.approx(small, abs=1)


def test_the_small_picture_has_its_widths_in_small_pixels():
    picture, scores, _ = example()
    noisy = scores + torch.randn(scores.shape, generator=torch.Generator().manual_seed(0))
    widget = CRFExplorer(picture, noisy, **{name: getattr(SETTING, name) for name in NUMBERS})
    halves = [
        torch.nn.functional.avg_pool2d(part, 2)
        for part in (noisy, torch.tensor(picture).permute(2, 0, 1).float())
    ]
    numbers = crf.Parameters(w1=10, sigma_alpha=10, sigma_beta=13, w2=2, sigma_gamma=1, iterations=3)
    expected = crf.DenseCRF(numbers)(*halves)
    assert torch.allclose(widget.marginals(reduced=True), expected, atol=1e-4)
    assert not torch.allclose(crf.DenseCRF(SETTING)(*halves), expected, atol=0.01)


def test_one_request_is_computed_once(monkeypatch):
    widget, calls = explorer(), []
    compute = widget._compute
    monkeypatch.setattr(widget, "_compute", lambda *args: (calls.append(args), compute(*args)))
    widget._request = request("a-1", w1=2, sigma_beta=9, iterations=2)
    assert calls == [(True, "a-1")] and repr(widget).startswith(
        "CRFExplorer(w1=2, sigma_alpha=20, sigma_beta=9"
    )
    widget.preset = "v2_vgg"
    assert len(calls) == 2


def test_presets_are_named_when_they_are_true():
    widget = explorer()
    assert widget.preset == "own"
    widget.preset = "v2_vgg"
    assert widget.parameters == crf.PRESETS["v2_vgg"]
    widget.w1 = 5
    assert widget.preset == "own"
    widget.w1 = crf.PRESETS["v2_vgg"].w1
    assert widget.preset == "v2_vgg"
    picture, scores, _ = example()
    assert CRFExplorer(picture, scores, preset="v1_caffe").preset == "v1_caffe"


def test_a_preset_brings_its_normalisation_and_the_sliders_leave_it():
    picture, scores, _ = example()
    widget = CRFExplorer(picture, scores, preset="v2_vgg", w1=5)
    assert widget.normalisation == "row" and "normalised by row" in widget.caption
    widget._request = request("a-1", reduced=False, w1=9)
    assert widget.parameters == replace(SETTING, w1=9, normalisation="row")
    expected = crf.DenseCRF(widget.parameters)(scores, torch.tensor(picture).permute(2, 0, 1))
    assert torch.allclose(widget.marginals(), expected, atol=1e-4)
    symmetric = crf.DenseCRF(replace(SETTING, w1=9))(scores, torch.tensor(picture).permute(2, 0, 1))
    assert not torch.allclose(widget.marginals(), symmetric, atol=0.01)
    widget.preset = "pydensecrf_readme"
    assert widget.normalisation == "symmetric" and "normalised symmetrically" in widget.caption
    with pytest.raises(ValueError, match="unknown normalisation 'rows': choose from"):
        widget.normalisation = "rows"


def test_without_labels_there_is_no_score():
    picture, scores, _ = example()
    widget = CRFExplorer(picture, scores, preset="v2_vgg", background=None)
    assert widget.mean_iou == () and "IoU" not in widget.caption
    assert "transparency" not in drawn(widget._pictures["before"])[0].info


def test_the_unary_shows_how_sure_the_network_is():
    widget = explorer()
    sure, head = drawn(widget._pictures["confidence"])
    assert head == "data:image/jpeg;base64"
    expected = 2 * (-widget.unary).exp().amax(0) - 1  # two classes: from a guess, 1/2, to certain, 1
    assert np.abs(np.array(sure) / 255 - expected.numpy()[::2, ::2]).mean() < 0.02


def test_its_text_names_the_numbers():
    widget = CRFExplorer()
    assert (
        repr(widget) == "CRFExplorer(w1=10, sigma_alpha=80, sigma_beta=13, w2=3, sigma_gamma=3, iterations=5)"
    )
    assert set(RANGES) == set(NUMBERS)


def test_what_cannot_be_is_refused_and_changes_nothing():
    widget = explorer()
    for name, wrong in (("sigma_beta", 0), ("w1", -1), ("iterations", 2.5), ("w2", "three")):
        with pytest.raises((ValueError, TypeError), match=name):
            setattr(widget, name, wrong)
    assert widget.parameters == SETTING
    with pytest.raises(traitlets.TraitError, match="unknown preset 'best': choose from"):
        widget.preset = "best"
    with pytest.raises(traitlets.TraitError):
        widget.changed = 0.0
    picture, scores, _ = example()
    with pytest.raises(ValueError, match="pass both"):
        CRFExplorer(picture)
    with pytest.raises(ValueError, match=r"enlarge them with grid\.upsample"):
        CRFExplorer(picture, scores[:, ::8, ::8])
    with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\]"):
        CRFExplorer(picture / 255, scores)
    with pytest.raises(TypeError, match="unknown number 'sigma': choose from w1, "):
        CRFExplorer(picture, scores, sigma=3)


# ---------------------------------------------------------------- in a browser


@pytest.fixture
def page(show):
    """A function that opens an explorer's page, with a kernel that the test plays if it is asked for."""

    def open_page(widget, fake_kernel=False, **context):
        shown = show(widget, **context)
        if fake_kernel:
            play_kernel(shown, widget)
        shown.wait_for_function("document.querySelector('canvas.dl-overlay')?.dataset.drawn")
        shown.evaluate(FRAME)
        return shown

    return open_page


def slide(page, name, *values, release=True):
    """Move a slider over values as a drag does: an input event for each, a change event at the end."""
    script = """(slider, [values, release]) => {
      for (const value of values) {
        slider.value = value;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
      }
      if (release) slider.dispatchEvent(new Event("change", { bubbles: true }));
    }"""
    page.locator(f".dl-slide-{name}").evaluate(script, [list(values), release])


@pytest.mark.browser
def test_dragging_never_queues_up(page):
    shown = page(explorer(), fake_kernel=True)
    slide(shown, "w1", *range(11, 20), release=False)
    sent = shown.evaluate("model.sent")
    assert [(s["numbers"]["w1"], s["reduced"]) for s in sent] == [(11, True)], (
        "eight stale numbers wait unsent"
    )
    shown.evaluate("reply()")
    sent = shown.evaluate("model.sent")
    assert [(s["numbers"]["w1"], s["reduced"]) for s in sent] == [(11, True), (19, True)]
    slide(shown, "w1", 15, 16)
    assert len(shown.evaluate("model.sent")) == 2
    shown.evaluate("reply()")
    assert shown.evaluate("model.sent").pop()["numbers"]["w1"] == 16
    assert shown.evaluate("model.sent").pop()["reduced"] is False, "on release the whole picture"
    shown.evaluate("reply()")
    shown.wait_for_timeout(500)
    assert len(shown.evaluate("model.sent")) == 3, "and then there is rest"
    assert shown.locator("[data-fact=delay]").text_content().endswith(" ms")


@pytest.mark.browser
def test_a_drag_that_stops_without_a_release_ends_in_the_whole_picture(page):
    shown = page(explorer(), fake_kernel=True)
    slide(shown, "sigma_beta", 20, release=False)
    shown.evaluate("reply()")
    shown.wait_for_timeout(500)
    assert shown.evaluate("model.sent.map((s) => s.reduced)") == [True, False]


@pytest.mark.browser
def test_two_sliders_moved_before_an_answer_both_arrive(page):
    shown = page(explorer(), fake_kernel=True)
    slide(shown, "w1", 7)
    slide(shown, "sigma_alpha", 44)
    slide(shown, "iterations", 4)
    shown.evaluate("reply()")
    numbers = shown.evaluate("model.sent").pop()["numbers"]
    assert (numbers["w1"], numbers["sigma_alpha"], numbers["iterations"]) == (7, 44, 4)
    assert shown.get_by_label("mean-field iterations", exact=True).input_value() == "4"


@pytest.mark.browser
def test_keys_numbers_and_presets(page):
    shown = page(explorer(), fake_kernel=True)
    shown.locator(".dl-slide-w1").focus()
    shown.keyboard.press("ArrowRight")
    assert shown.evaluate("model.sent")[0]["numbers"]["w1"] == 10.5
    shown.evaluate("reply()")
    shown.evaluate("reply()")
    number = shown.get_by_label("sigma beta, reach", exact=False).last
    number.fill("1000")
    number.press("Enter")
    assert shown.evaluate("model.sent").pop()["numbers"]["sigma_beta"] == RANGES["sigma_beta"][1]
    shown.evaluate("reply()")
    shown.get_by_label("Preset").select_option("v2_vgg")
    shown.evaluate("reply()")
    sent = shown.evaluate("model.sent").pop()["numbers"]
    assert sent["sigma_alpha"] == 65 and sent["normalisation"] == "row"
    assert shown.locator("[data-fact=normalisation]").text_content() == "by row"


@pytest.mark.browser
def test_the_border_between_before_and_after_moves_by_key_pointer_and_slider(page):
    shown = page(explorer())
    pictures = {picture(shown, "overlay")}
    overlay = shown.locator("canvas.dl-overlay")
    overlay.focus()
    shown.keyboard.press("ArrowLeft")
    pictures.add(picture(shown, "overlay"))
    assert "Left of 48 % of the width" in overlay.get_attribute("aria-label")
    box = overlay.bounding_box()
    shown.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10)
    shown.mouse.down()
    shown.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 10)
    shown.mouse.up()
    shown.mouse.move(box["x"] + 5, box["y"] + 5)
    pictures.add(picture(shown, "overlay"))
    assert "Left of 80 %" in overlay.get_attribute("aria-label")
    shown.get_by_label("How strong the colours", exact=False).fill("10")
    pictures.add(picture(shown, "overlay"))
    assert len(pictures) == 4


@pytest.mark.browser
def test_a_page_without_python_computes_a_smaller_picture(page):
    """It first shows what Python computed last, then answers each gesture itself, and says so."""
    widget = explorer()
    shown = page(widget)
    fact = {name: shown.locator(f"[data-fact={name}]") for name in ("changed", "iou", "size", "delay")}
    assert fact["changed"].text_content() == f"{widget.changed:.1f} %"
    before, after = widget.mean_iou
    assert fact["iou"].text_content() == f"{before:.1f} % → {after:.1f} %"
    marked = shown.locator("canvas.dl-changed").evaluate("""(canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 0; i < data.length; i += 4) count += data[i] === 213 && data[i + 1] === 94 && data[i + 2] === 0;
      return (400 * count) / data.length;
    }""")
    assert marked == pytest.approx(widget.changed, abs=1.5)
    overlay, status = shown.locator("canvas.dl-overlay"), shown.locator(".dl-status")
    assert widget.caption in overlay.get_attribute("aria-label") and status.text_content() == ""
    old = picture(shown, "overlay")
    for name, number in (("w1", 3), ("sigma_gamma", 9), ("iterations", 8)):
        slide(shown, name, number)
    changed = by_the_definition(widget, w1=3, sigma_gamma=9, iterations=8)
    fact["changed"].get_by_text(f"{changed:.1f} %", exact=True).wait_for(timeout=10_000)
    assert fact["size"].text_content() == "100 × 20 px, in your browser"
    assert fact["iou"].text_content() == "only with Python" and fact["delay"].text_content().endswith(" ms")
    assert "There is no Python here" in status.text_content()
    said = "w1 3, sigma alpha 20 pixels, sigma beta 13 grey levels, w2 2, sigma gamma 9 pixels, 8 iterations"
    assert said in overlay.get_attribute("aria-label")
    shown.locator(".dl-live").get_by_text(said).wait_for()
    shown.get_by_label("Preset").select_option("v2_vgg")
    shown.locator(".dl-live").get_by_text("kernels normalised by row").wait_for()
    slide(shown, "w1", 0)
    slide(shown, "w2", 0)
    fact["changed"].get_by_text("0.0 %", exact=True).wait_for(timeout=10_000)
    assert shown.get_by_label("Preset").input_value() == "own" and picture(shown, "overlay") != old


def by_the_definition(widget, **numbers):
    """% of changed pixels on the picture that the browser computes, with the exact filters."""
    image, scores, _ = widget._sizes[False]
    factor = widget._small["factor"]
    small = [torch.nn.functional.avg_pool2d(part, factor) for part in (image, scores)]
    setting = replace(widget.parameters, **numbers)
    widths = {name: getattr(setting, name) / factor for name in ("sigma_alpha", "sigma_gamma")}
    after = tiny_crf.ExactCRF(replace(setting, **widths))(small[1], small[0]).argmax(0)
    return 100 * (after != small[1].argmax(0)).double().mean().item()


@pytest.mark.browser
def test_the_browser_computes_while_python_is_silent_and_python_s_answer_counts(page):
    widget = explorer()
    shown = page(widget, fake_kernel=True)
    size = shown.locator("[data-fact=size]")
    slide(shown, "w1", 3)
    slide(shown, "w1", 4)
    assert size.text_content() == "300 × 60 px"
    shown.locator(".dl-status").get_by_text("Python hasn't answered").wait_for(timeout=6000)
    size.get_by_text("100 × 20 px, in your browser").wait_for()
    assert "w1 4," in shown.locator("canvas.dl-overlay").get_attribute("aria-label")
    assert [sent["numbers"]["w1"] for sent in shown.evaluate("model.sent")] == [3], (
        "no number reaches Python twice"
    )
    shown.evaluate("reply()")
    shown.evaluate("reply()")
    assert size.text_content() == "300 × 60 px" and shown.locator(".dl-status").text_content() == ""


@pytest.mark.browser
def test_a_stored_explorer_computes_at_once(page):
    """Before its cell is run, Jupyter marks it as one without Python: there is nobody to wait for."""
    shown = page(explorer(), fake_kernel=True)
    root = shown.locator(".dl-crf-explorer")
    root.evaluate("(root) => root.parentElement.classList.add('jupyter-widgets-disconnected')")
    slide(shown, "w1", 3)
    shown.locator(".dl-status").get_by_text("its cell hasn't been run yet").wait_for(timeout=1500)
    shown.locator("[data-fact=size]").get_by_text("100 × 20 px, in your browser").wait_for()


@pytest.mark.browser
def test_mean_field_in_the_browser_is_the_package_s(show, tmp_path):
    """Random pictures, scores and numbers; the browser leaves out pairs below a millionth, so up to 2e-4."""
    (tmp_path / "empty.html").write_text("<title>empty</title>")
    source = joined(Path(crf_widget.__file__).with_name("mean_field.js"))
    shown, rng = show(tmp_path / "empty.html"), np.random.default_rng(0)
    for normalisation in ("symmetric", "row", "none"):
        height, width, classes = rng.integers(2, 16, 3).tolist()
        image = torch.tensor(rng.uniform(0, 255, (3, height, width)))
        logits = torch.tensor(rng.normal(0, 3, (classes, height, width)))
        sigmas = rng.uniform((0.5, 5, 0.5), (20, 150, 8)).tolist()
        weights = (rng.uniform(0, 9, 2) if normalisation != "none" else rng.uniform(0, 0.1, 2)).tolist()
        setting = crf.Parameters(weights[0], *sigmas[:2], weights[1], sigmas[2], 4, normalisation)
        expected = tiny_crf.ExactCRF(setting)(logits, image)
        case = [image.permute(1, 2, 0).flatten(), logits.permute(1, 2, 0).flatten()]
        found = shown.evaluate(
            MEAN_FIELD,
            [
                source,
                *(part.tolist() for part in case),
                width,
                height,
                classes,
                sigmas,
                weights,
                normalisation,
            ],
        )
        assert (
            np.abs(np.reshape(found, (height, width, classes)) - expected.permute(1, 2, 0).numpy()).max()
            < 2e-4
        )


MEAN_FIELD = """async ([source, pixels, logits, width, height, classes, sigmas, weights, normalisation]) => {
  const text = source + "export { inPieces, listPairs, meanField };";
  const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const { inPieces, listPairs, meanField } = await import(address);
  const picture = { pixels: Float64Array.from(pixels), width, height };
  const run = (work) => inPieces(work, () => false);
  const bilateral = await run(listPairs(picture, sigmas[0], sigmas[1]));
  const spatial = await run(listPairs(picture, sigmas[2], Infinity));
  const kernels = [[weights[0], bilateral], [weights[1], spatial]];
  return [...(await run(meanField(Float64Array.from(logits), classes, kernels, normalisation, 4)))];
}"""


@pytest.mark.browser
def test_a_closed_view_listens_no_more(page):
    shown = page(explorer(), fake_kernel=True)
    slide(shown, "w1", 12, release=False)
    shown.evaluate("ends[0]()")
    assert set(shown.evaluate("listening()")) == {0}
    shown.wait_for_timeout(500)
    assert len(shown.evaluate("model.sent")) == 1
