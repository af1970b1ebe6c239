"""`OwnPhoto`: a photograph of the reader's own, its classes with their shares, and how sure the network is."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import ipywidgets
import numpy as np
import torch
import traitlets
from PIL import Image

from deeplab_lessons import inference
from deeplab_lessons.classroom.widgets.crf import CRFExplorer
from deeplab_lessons.classroom.widgets.page import data_url
from deeplab_lessons.classroom.widgets.words_own_photo import NO_FILE, TOO_SMALL, WORDS
from deeplab_lessons.datasets import as_picture, photograph, photograph_names, transforms

LONGEST = 512  # side in pixels to which a photograph is reduced: about what VOC's networks were trained on
_LEAST = 0.001  # share of the area below which a class is left out of the words
_GAP = 6  # white pixels between two panels
_SHOWN = 260  # longest side of a panel in pixels


def photo(source: str | Path | bytes | np.ndarray | Image.Image, longest: int = LONGEST) -> np.ndarray:
    """A picture as a network takes it: upright, red, green and blue, no side longer than `longest` pixels.

    `source` is one of `photograph_names()`, or what `datasets.as_picture` takes; uint8 [h, w, 3] comes back. Raises
    FileNotFoundError or ValueError for what is no picture.
    """
    if isinstance(source, str) and source in photograph_names():
        source = photograph(source)
    try:
        image = Image.fromarray(as_picture(source))
    except FileNotFoundError as error:
        raise FileNotFoundError(NO_FILE.format(error=error, names=", ".join(photograph_names()))) from None
    if min(image.size) < 16:
        raise ValueError(TOO_SMALL.format(width=image.width, height=image.height))
    factor = min(1, longest / max(image.size))
    if factor < 1:
        image = image.resize([max(1, round(factor * side)) for side in image.size], Image.Resampling.BOX)
    return np.array(image)


def strongest(scores: torch.Tensor, count: int = 4) -> tuple[torch.Tensor, list[int]]:
    """Class 0 and the `count` classes with most probability over the picture, all others as one.

    `scores` are logits [C, H, W]; logits [count + 2, H, W] come back, the last of them for all others together, and
    the classes kept, in order. The probabilities stay what they were. A CRF with six classes for 21 needs a
    fraction of the time.
    """
    mass = scores.softmax(0).flatten(1).sum(1)
    mass[0] = mass.sum() + 1  # the background stays
    kept = sorted(mass.topk(min(count + 1, len(scores))).indices.tolist())
    others = [label for label in range(len(scores)) if label not in kept]
    if not others:
        return scores, kept
    return torch.cat([scores[kept], scores[others].logsumexp(0, keepdim=True)]), kept


class OwnPhoto(ipywidgets.VBox):
    """Choose or upload a photograph: its classes in colour, their shares of the area, and how sure the network is.

    network: anything that `inference.scores` takes. classes: names in the order of the labels; palette: uint8
    [256, 3]. pictures: name -> uint8 [H, W, 3], by default the colour photographs of `datasets`.

    Traits: `name` (a picture of the list) and, to be read, `caption`. `show(source)` takes what `photo` takes.
    Then `picture` uint8 [H, W, 3], `scores` [C, H, W], `labels` uint8 [H, W] and `shares` (name -> share of the
    area, the largest first) are there. An upload that is no picture is told so, and changes nothing.
    """

    name = traitlets.Unicode(help="picture of the list that is shown; empty for another one")
    caption = traitlets.Unicode(help="what was found, in words", read_only=True)

    def __init__(
        self,
        network: inference.Model,
        classes: Sequence[str],
        palette: np.ndarray,
        pictures: Mapping[str, np.ndarray] | None = None,
        longest: int = LONGEST,
    ):
        """Build the controls and segment the first picture."""
        if pictures is None:
            pictures = {name: photograph(name) for name in photograph_names()[:5]}
        self._network, self._classes, self._palette = network, tuple(classes), np.asarray(palette)
        self._pictures, self._longest = dict(pictures), longest
        self._list = ipywidgets.Dropdown(options=[*self._pictures, ""], description=WORDS["name"])
        words = {"description": WORDS["upload"], "accept": "image/*", "multiple": False}
        self._upload = ipywidgets.FileUpload(**words, layout={"width": "auto"})
        self._page, self._said = ipywidgets.HTML(), ipywidgets.HTML()
        controls = ipywidgets.HBox([self._list, self._upload, self._said])
        super().__init__([controls, self._page])
        self.name = next(iter(self._pictures))
        traitlets.link((self, "name"), (self._list, "value"))
        self._upload.observe(self._uploaded, "value")
        self.observe(lambda change: change["new"] and self._segment(self._pictures[change["new"]]), "name")
        self._segment(self._pictures[self.name])

    def __repr__(self, *_) -> str:
        """Which picture it shows: no numbers that differ between machines."""
        return f"OwnPhoto({self.name or 'your own'})"

    @traitlets.validate("name")
    def _check_name(self, proposal):
        if proposal["value"] and proposal["value"] not in self._pictures:
            known = ", ".join(self._pictures)
            raise traitlets.TraitError(f"there is no picture {proposal['value']!r}; there are: {known}")
        return proposal["value"]

    def show(self, source) -> "OwnPhoto":
        """Segment a picture of the list by its name, or what `photo` takes; raises what `photo` raises."""
        if isinstance(source, str) and source in self._pictures:
            self.name = source
            return self
        picture = photo(source, self._longest)
        self.name = ""
        self._segment(picture)
        return self

    def explorer(self, preset: str = "v2_resnet101", count: int = 4, **numbers) -> CRFExplorer:
        """The CRF explorer on this picture, with the `strongest` classes as they are and all others as one."""
        scores, kept = strongest(self.scores, count)
        palette = np.full((256, 3), 255, np.uint8)
        palette[: len(kept)] = self._palette[kept]
        return CRFExplorer(self.picture, scores, preset=preset, palette=palette, **numbers)

    def _uploaded(self, change) -> None:
        """A file from the browser: shown, or told what is wrong with it."""
        if not change["new"]:
            return
        self._said.value = ""
        try:
            self.show(bytes(change["new"][0]["content"]))
        except ValueError as error:
            self._said.value = f'<span role="alert">{html.escape(str(error))}</span>'

    def _segment(self, picture: np.ndarray) -> None:
        """Scores, labels and shares of a picture; panels and words follow."""
        self.picture = photo(picture, self._longest)
        self.scores = inference.scores(self._network, transforms.normalise(self.picture)).clone().cpu()
        sure = self.scores.softmax(0).amax(0).numpy()
        self.labels = self.scores.argmax(0).numpy().astype(np.uint8)
        found = {label: float((self.labels == label).mean()) for label in np.unique(self.labels).tolist()}
        found = dict(sorted(found.items(), key=lambda pair: -pair[1]))
        self.shares = {self._classes[label]: share for label, share in found.items()}
        told = [label for label, share in found.items() if share >= _LEAST]
        means = {label: float(sure[self.labels == label].mean()) for label in told}
        legend = {
            label: WORDS["share"].format(name=self._classes[label], share=found[label], sure=means[label])
            for label in told
        }
        count = WORDS["one"] if len(told) == 1 else WORDS["several"].format(count=len(told))
        self.set_trait("caption", WORDS["caption"].format(count=count, shares="; ".join(legend.values())))
        self._page.value = self._drawn(sure, legend)

    def _drawn(self, sure: np.ndarray, legend: Mapping[int, str]) -> str:
        """The three panels and the legend as one piece of HTML, the picture inside it."""
        coloured = inference.overlay(self.picture, self.labels, self._palette, 0.7)
        grey = np.repeat((255 * sure).astype(np.uint8)[..., None], 3, axis=2)
        panels = [photo(panel, _SHOWN) for panel in (self.picture, coloured, grey)]
        gap = np.full((len(panels[0]), _GAP, 3), 255, np.uint8)
        row = np.concatenate([part for panel in panels for part in (gap, panel)][1:], axis=1)
        words = html.escape(WORDS["alt"].format(caption=self.caption))
        squares = "".join(_square(self._palette[label], name) for label, name in legend.items())
        source = data_url(row, "jpeg", quality=85)
        return (
            f'<img src="{source}" alt="{words}" style="max-width: 100%"><div>{html.escape(WORDS["panels"])}</div>'
            f'<div role="status">{squares}</div>'
        )


def _square(colour: np.ndarray, name: str) -> str:
    """A line of the legend: a square of the class's colour and its words."""
    red, green, blue = (int(part) for part in colour)
    style = f"background: rgb({red}, {green}, {blue}); border: 1px solid grey; padding: 0 0.6em; margin-right: 0.4em"
    return f'<span style="margin-right: 1.2em"><span style="{style}"></span>{html.escape(name)}</span>'
