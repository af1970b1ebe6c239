"""What a data set holds, what is wrong with it, and what to do about it: the look before a training."""

import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from deeplab_lessons.datasets import finding
from deeplab_lessons.datasets.folders import FilePairs, Folder
from deeplab_lessons.datasets.look import Look, label_of
from deeplab_lessons.datasets.pairs import Pairs
from deeplab_lessons.datasets.palettes import few
from deeplab_lessons.datasets.splits import groups
from deeplab_lessons.datasets.suggestions import for_colours, for_numbers
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX

#: Correlation of the thumbnails of two images that look like one view. CamVid's val, a clip, has a median of 0.997
#: between neighbours; of VOC's photographs no two have more than 0.86.
_ALIKE = 0.95


@dataclass(frozen=True)
class Report:
    """What `check` found: `errors` stop a training, `doubts` warn, `suggestions` are ready to paste."""

    facts: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = list(self.facts)
        for word, texts in (("ERROR", self.errors), ("DOUBT", self.doubts), ("TRY", self.suggestions)):
            more = [f"… and {len(texts) - 5} more"] if len(texts) > 5 else []
            lines += [f"{word}: {text}" for text in (*texts[:5], *more)]
        return "\n".join(lines if self.errors or self.doubts else [*lines, "Nothing to object to."])

    __repr__ = __str__

    def raise_errors(self) -> None:
        """Raise ValueError with the first error, and what to try, if there is any."""
        if self.errors:
            more = f" (and {len(self.errors) - 1} more errors: check shows them)" if self.errors[1:] else ""
            tries = f" Try {self.suggestions[0]}." if self.suggestions else ""
            raise ValueError(f"{self.errors[0]}{more}.{tries}".replace("?.", "?"))

    def settle(self) -> None:
        """Raise the errors, or warn of each doubt."""
        self.raise_errors()
        for doubt in self.doubts:
            warnings.warn(doubt, stacklevel=1)  # always from here: Python does not repeat it


def check(dataset: Sequence | Pairs, most: int | None = None, pictures: bool = True) -> Report:
    """Look at a data set and return what it holds and what is wrong: faults of files are collected, not raised.

    `most`: read only so many pairs, spread over the set. `pictures=False` leaves out what needs the images' pixels:
    whether one is cut off, or there twice. Of a `Sequence` of pairs (image, mask), and of pairs that are not files,
    only classes and void are counted, until each class has occurred.
    """
    look, step = Look(), max(-(-len(dataset) // most), 1) if most else 1
    classes, quiet = tuple(getattr(dataset, "classes", ())), not pictures or None  # None: without a terminal
    for index in tqdm(range(0, len(dataset), step), "reading", leave=False, disable=quiet):
        if isinstance(dataset, FilePairs):
            look.at_files(dataset, index, pictures)
            continue
        look.at_map(dataset.labels(index) if isinstance(dataset, Pairs) else np.asarray(dataset[index][1]))
        if len(look.classes.keys() - {IGNORE_INDEX}) >= max(len(classes), 2):
            break
    facts = [f"{len(dataset)} pairs, {look.maps} label maps read"]
    for what, kinds in look.kinds.items():
        facts.append(f"{what}: {few([f'{count} {kind}' for kind, count in kinds.most_common()])}")
    errors, doubts, tries = _of_labels(look, classes, isinstance(dataset, Folder), step == 1)
    doubts += _twice(look)
    if isinstance(dataset, Folder):
        if not {"ids", "palette"} & dataset.folder.keys():
            errors += _drawn_in_two_colours(look, tries)
        facts += _left_out(dataset, doubts)
        facts += _split(dataset, look, doubts) if dataset.split is None and step == 1 else []
    return Report((*facts, *_table(look, dataset, classes)), tuple(errors), tuple(doubts), tuple(tries))


def lacking(counts: Mapping[int, int], classes: Sequence[str], maps: int) -> str:
    """Say what is missing if void (255) looks like a class that never occurs; "" if it does not.

    `counts` are pixels by class, of `maps` label maps. Void does so next to one class only, or on over a third of three
    or more maps: void borders of real sets are neither, while parts of these sets often lack a class.
    """
    classes = classes or ("", "")
    void, seen = counts.get(IGNORE_INDEX, 0), {label for label, n in counts.items() if n} - {IGNORE_INDEX}
    fraction = void / max(sum(counts.values()), 1)
    if not void or len(seen) >= max(len(classes), 2) or (len(seen) > 1 and (maps < 3 or fraction <= 1 / 3)):
        return ""
    missing = few([f"{label} {name}".strip() for label, name in enumerate(classes) if label not in seen])
    return (
        f"none of the {maps} label maps read has a pixel of {f'class {missing or 1}' if seen else 'any class'}, and "
        f"{100 * fraction:.3g} % of their pixels are void (255), which is ignored. If 255 is a class in the files, "
        "pass ids, such as ids={0: 0, 255: 1} for masks of 0 and 255"
    )


def _of_labels(look: Look, classes: Sequence[str], own: bool, complete: bool) -> tuple[list[str], ...]:
    """Errors, doubts and suggestions about what the label maps hold; `own`: their classes were chosen for them."""
    errors, doubts = _grouped(look.faults), list[str]()
    strange = sorted(n for n in look.classes if not 0 <= n < (len(classes) or 256) and n != IGNORE_INDEX)
    if strange and not errors:
        errors.append(f"the label maps hold {few(strange)}, but there are {len(classes)} classes")
    counts = {label: pixels for label, pixels in look.classes.items() if label not in strange}
    never = [f"{label} {name}" for label, name in enumerate(classes) if label not in counts]
    void, polygons = lacking(counts, classes, look.maps), "json" in look.kinds["label maps"]
    binary = len(look.voids) > 1 and all(held == {0, IGNORE_INDEX} for held in look.voids)
    if void and polygons:
        void = f"{void.partition('. If')[0]}: no shape covers them. Call the first class background if it is"
    if void and not errors:
        alone = len(counts) < (3 if own else 2)  # void and one class, or void only
        (errors if alone and (own or complete) else doubts).append(void)
    elif own and binary and not (errors or polygons):
        doubts.append(
            f"{len(look.voids)} of {look.maps} label maps hold only 0 and 255 (void), and no other one holds 255: if "
            "it is a class there, save these maps with its number"
        )
    elif never and own and complete and not errors:
        doubts.append(
            f"class {few(never)} never occurs in the {look.maps} label maps, so that nothing can be learned of it: "
            "add images that show it, or leave it out of classes"
        )
    tries = for_colours(look.colours, len(classes)) if look.colours else []
    if (void or strange) and not polygons:
        tries += for_numbers(look.numbers, classes or ("", ""))
    return errors, doubts, tries


def _grouped(faults: list[tuple[Path, str]]) -> list[str]:
    """One message for all files with one fault: that of the first, and the names of the others."""
    alike: dict[str, list[tuple[Path, str]]] = defaultdict(list)
    for path, words in faults:
        alike[re.sub(r"[\d,() ]+", "", words.replace(str(path), ""))[:40]].append((path, words))
    said = []
    for (_, words), *others in alike.values():
        more = f" ({len(others)} more like it: {few([path.name for path, _ in others])})" if others else ""
        said.append(words + more)
    return said


def _drawn_in_two_colours(look: Look, tries: list[str]) -> list[str]:
    """An error where palette files draw a number in two colours: numbers or colours are the classes, not both."""
    several = [(number, [*found.items()]) for number, found in sorted(look.drawn.items()) if len(found) > 1]
    if not several:
        return []
    number, ((one, at_one), (other, at_other), *_) = several[0]
    shown = Counter(colour for found in look.drawn.values() for colour in found)
    tries.append(for_colours(shown, 256)[0])
    return [
        f"{at_other} draws the number {number} in the colour {other}, and {at_one} in {one}: pass palette= if the "
        "colours are the classes, or ids= if the numbers are"
    ]


def _twice(look: Look) -> list[str]:
    """A doubt for each image that several files hold."""
    cure = "keep one, or a network may be measured on what it was trained on"
    several = [few([str(path) for path in paths]) for paths in look.same.values() if len(paths) > 1]
    return [f"{paths} are the same image: {cure}" for paths in several]


def _left_out(dataset: Folder, doubts: list[str]) -> list[str]:
    """What is in the images' folder and no pair of the set; HEIC is worth a doubt."""
    lines = []
    if left := dataset.left_out:
        lines.append(f"left out: {len(left)} without a label map, {few([path.name for path in left])}")
    if others := ", ".join(finding.unread(dataset.root)):
        lines.append(f"not read: {others} in {dataset.root}")
        if ".heic" in others:
            doubts.append(f"{lines[-1]}: export photos in HEIC as JPEG or PNG")
    return lines


def _split(dataset: Folder, look: Look, doubts: list[str]) -> list[str]:
    """How the pairs would be split; a doubt where images on both sides look like frames of one clip."""
    try:
        sides = dataset.sides()
    except ValueError as error:
        doubts.append(f"{dataset.root}: {error}; until then nothing can measure how good a network is")
        return []
    shown = [(p, side) for (p, _), side in zip(dataset.files, sides, strict=True) if p in look.thumbnails]
    train, val = ([path for path, side in shown if side == each] for each in ("train", "val"))
    if train and val:
        rows = (np.stack([look.thumbnails[path] for path in paths]) for paths in (val, train))
        likeness = next(rows) @ next(rows).T
        close = np.argwhere((likeness > _ALIKE) & (likeness < 1 - 1e-9))  # and not the same
        if len(close):
            here, there = val[close[0, 0]].name, train[close[0, 1]].name
            more = f", and {len(close) - 1} more pairs do" if len(close) > 1 else ""
            doubts.append(
                f"{here} (to measure on) looks like {there} (to train on){more}: put the frames of a clip, or "
                "photos of one view, into a subfolder of their own, which is never split"
            )
    counts, known = Counter(sides), sorted(set(groups(dataset.names())))
    words = few([name if name.endswith("/") else repr(name) for name in known])
    by = "each image by itself" if len(known) == len(sides) else f"in groups that stay together, {words}"
    return [f"split: {counts['train']} to train on, {counts['val']} to measure on, {by}"]


def _table(look: Look, dataset: Sequence | Pairs, classes: Sequence[str]) -> Iterator[str]:
    """The numbers in the label maps with the fraction of pixels and the class of each; classes that never occur."""
    table, total = getattr(dataset, "table", None), look.numbers.total()
    names = {IGNORE_INDEX: "void"} | {label: f"{label} {name}" for label, name in enumerate(classes)}
    for number, pixels in sorted(look.numbers.most_common(12)):
        name = names.get(label_of(number, table), "no class")
        yield f"{number:>8} {100 * pixels / total:6.2f} %  {name}"
    if len(look.numbers) > 12:
        yield f"       … and {len(look.numbers) - 12} more numbers"
    if never := [names[label] for label in range(len(classes)) if not look.classes[label]]:
        yield f"   never           {few(never)}"
