"""What to pass for the numbers and colours that label maps hold: text that is ready to paste."""

from collections import Counter
from collections.abc import Sequence

#: Colours that mean void in many sets.
_VOID_COLOURS = ((255, 255, 255), (224, 224, 192))


def for_numbers(numbers: Counter[int], classes: Sequence[str]) -> list[str]:
    """Return what may turn the numbers in files (pixels by number) into that many classes, most likely first."""
    found, count = sorted(numbers), len(classes)
    ends, void = numbers[0] + numbers[255], {255: 255} if 255 in numbers else {}
    if len(found) > 2 * count + 2 and ends > 0.7 * numbers.total():
        return ["masks without smoothed edges: resize with nearest neighbour or np.where(mask > 127, 255, 0)"]
    if count == 1 and len(found) == 2 and found != [0, 1]:
        thing = "thing" if classes[0] == "background" else classes[0]
        return [f"two classes: classes=['background', {thing!r}], {_ids({found[0]: 0, found[1]: 1})}"]
    if found[0] < 0 or found[-1] > 65535:
        ids = _ids({number: number for number in found if 0 <= number < count})
        return [f"{ids}, others=255 (--others 255) if every other number is void: ids take 0 to 65535"]
    if count > 2 and 255 in found and set(found) - {255} <= set(range(count)):
        return []
    if len(found) == count:
        return [_ids({number: label for label, number in enumerate(found)})]
    labelled = [number for number in found if number != 255]
    if len(labelled) == count and len(found) > count:
        return [_ids({number: label for label, number in enumerate(labelled)} | {255: 255})]
    if labelled == list(range(count + 1)):
        same = {number: number for number in range(count)}
        return [
            f"one more name in classes, for the number {count}",
            f"{_ids(same | {count: 255} | void)} if {count} means void",
            f"{_ids({0: 255} | {number + 1: number for number in range(count)} | void)} if 0 means void",
        ]
    if count == 2 and 0 in found:
        return [f"{_ids({0: 0} | void)}, others=1 (--others 1) if every other number is a thing of the class"]
    return ["ids with a class for each number that is one, and others=255 (--others 255) for void elsewhere"]


def for_colours(colours: Counter[tuple[int, int, int]], count: int) -> list[str]:
    """Return what may turn colours (pixels by colour) into `count` classes."""
    order = [colour for colour, _ in colours.most_common()]
    covered = sum(colours[colour] for colour in order[:count]) / max(colours.total(), 1)
    if len(order) > 100 and covered < 0.5:
        return ["exchanging images and labels, if the label maps are photos: they hold too many colours"]
    if len(order) > count + 1:
        return [
            f"saving the label maps as PNG, resized with nearest neighbour: the {count} most frequent colours cover "
            f"{100 * covered:.3g} % of them, and the {len(order) - count} others look like mixtures, or more classes",
            _palette(order[:count]),
        ]
    if len(order) <= count:
        return [_palette(order)]
    order.sort(key=lambda colour: colour in _VOID_COLOURS)
    ids = _ids({label: label for label in range(count)} | {count: 255})
    return [f"{_palette(order)}, and {ids} if the last is void"]


def _ids(ids: dict[int, int]) -> str:
    return f"ids={ids} (--ids {','.join(f'{number}:{label}' for number, label in ids.items())})"


def _palette(colours: list[tuple[int, int, int]]) -> str:
    """The colours, black first, as it is background in most sets."""
    colours = sorted(colours, key=lambda colour: colour != (0, 0, 0))
    shell = ":".join(",".join(map(str, colour)) for colour in colours)
    return f"palette={[list(colour) for colour in colours]} (--palette {shell}), in the order of the classes"
