"""Which label map belongs to which picture: by their names in two folders, or by a list."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from unicodedata import normalize

from deeplab_lessons.datasets.palettes import few
from deeplab_lessons.files import picture_endings, seen_below

Files = Mapping[str, Path]  # by their names: "town/a" for town/a.png
_SEPARATORS = re.compile(r"[ ._-]")  # an ending of names begins with one of these


def find_pairs(
    images: Path, labels: Path, names: Iterable[str] | str | Path | None = None, ending: str | None = None
) -> tuple[list[tuple[Path, Path]], list[Path]]:
    """Return the pairs (picture, label map) in two folders and all below them, and the pictures without a label map.

    A label map is called like its picture, or like it with an `ending` such as "_mask": the one that they all share,
    unless it is given. Pictures may share another one. `names` chooses pairs: names or paths, with or without file
    ending, in a list or on the lines of a text file; two on a line are a pair. Raises FileNotFoundError for what is
    missing, and ValueError for what may mean several things.
    """
    if images.samefile(labels) and not any(path.suffix.lower() == ".json" for path in seen_below(labels)):
        raise ValueError(f"images and labels must be two folders, got {images}: move the label maps")
    polygons = {".json"}
    kinds = picture_endings() | {".npy"}
    pictures = _files(images, labels, kinds)
    maps = _files(labels, images, *([polygons] if images.samefile(labels) else [kinds, polygons]))
    if names is None:
        found = _match(pictures, maps, ending, labels)
        lonely = sorted(name for name in maps.keys() - found.values() if name.endswith(ending or ""))
        if not (found or lonely):
            raise ValueError(
                f"no name in {labels} ends in {ending!r}, but {few([*map(repr, maps)])}: pass another ending"
            )
        if lonely or not found:
            raise _lacks(images, lonely, len(found) + len(lonely), has=sorted(pictures))
        pairs = [(pictures[name], maps[found[name]]) for name in sorted(found)]
        return pairs, [path for name, path in pictures.items() if name not in found]
    lines = read_list(Path(names)) if isinstance(names, (str, Path)) else dict.fromkeys(names, "names")
    return _listed(lines, pictures, maps, ending, images, labels), []


def read_list(path: Path) -> dict[str, str]:
    """Return what the lines of a list say, and where each is.

    The list is in UTF-8, or in UTF-16 as PowerShell writes it, with the line ends and paths of any system.
    """
    content, found = path.read_bytes(), dict[str, str]()
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        number = content[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}, line {number}: not UTF-8: save the list as UTF-8") from None
    for number, line in enumerate(normalize("NFC", text).splitlines(), start=1):
        name, where = line.strip().replace("\\", "/"), f"{path}, line {number}"
        if name in found:
            raise ValueError(f"{where}: {name!r} is in {found[name]} already: name it once")
        if name:
            found[name] = where
    if not found:
        raise ValueError(f"{path} is empty: write one name on each line")
    return found


def unread(folder: Path) -> list[str]:
    """Return the kinds of files in and below a folder that are neither pictures nor label maps: ["5 .heic"]."""
    known = picture_endings() | {".npy", ".json"}
    kinds = Counter(path.suffix.lower() or "without ending" for path in seen_below(folder))
    return [f"{count} {kind}" for kind, count in kinds.most_common() if kind not in known][:5]


def _files(folder: Path, but: Path, *kinds: Collection[str]) -> dict[str, Path]:
    """The files of the first of several kinds (sets of endings) by their names: "town/a" for town/a.png.

    The other folder, `but`, may be inside this one. Raises FileNotFoundError, with what is there instead, where there
    are none of any kind, and ValueError for two files of one name.
    """
    seen = seen_below(folder)
    if folder.resolve() in but.resolve().parents:
        seen = [path for path in seen if but.resolve() not in path.resolve().parents]
    for kind in kinds:
        found: dict[str, Path] = {}
        for path in seen:
            name = normalize("NFC", path.relative_to(folder).with_suffix("").as_posix())
            if path.suffix.lower() in kind and path != (twin := found.setdefault(name, path)):
                raise ValueError(f"{folder} holds both {twin.name} and {path.name}: keep one elsewhere")
        if found:
            return found
    cure = ": export them as JPEG or PNG, and label maps as PNG (datumaro converts other formats)"
    inside = f"{', '.join(others)}{cure}" if (others := unread(folder)) else "it is empty"
    raise FileNotFoundError(f"{folder} holds no file that is a picture or label map: {inside}")


def _match(pictures: Collection, maps: Collection, ending: str | None, folder: Path) -> dict[str, str]:
    """The name of its label map for each name of a picture that has one."""
    shared = shared_ending(pictures)
    for cut, alone in ((0, False), (0, True), (len(shared), False), (len(shared), True)):
        short = {name: Path(name).name if alone else name for name in (*pictures, *maps)}
        known = {short[picture][: -cut or None]: picture for picture in pictures}
        if len(known) < len(pictures) or len({short[name] for name in maps}) < len(maps):
            continue  # without their folders, several have one name
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for name in maps:
            text = short[name]
            for place in (len(text), *(gap.start() for gap in reversed([*_SEPARATORS.finditer(text)]))):
                if text[:place] in known:
                    found[text[place:]][known[text[:place]]] = name
                    break
        if ending is not None:
            found = {each: pairs for each, pairs in found.items() if each == ending}
        if "" not in found and len(found) > 1:
            several = ", ".join(f"{each!r} ({len(pairs)})" for each, pairs in sorted(found.items())[:5])
            raise ValueError(
                f"names in {folder} continue in several ways, {several}: pass ending= one of them"
            )
        if found:
            return found.get("") or next(iter(found.values()))
    return {}


def _listed(
    lines: Mapping[str, str], pictures: Files, maps: Files, ending: str | None, images: Path, labels: Path
) -> list[tuple[Path, Path]]:
    """The pairs that a list names, in its order."""
    try:
        found, unclear = _match(pictures, maps, ending, labels), None
    except ValueError as error:  # which does not matter where the list names both files of each pair
        found, unclear = {}, error
    of_picture, of_map = _by_any_name(pictures), _by_any_name(maps)
    by_map = {label: name for name, label in found.items()}
    of_pair = {short: by_map[name] for short, name in _by_any_name(by_map).items()} | _by_any_name(found)
    chosen: dict[tuple[Path, Path], str] = {}
    absent: dict[Path, list[str]] = {labels: [], images: []}
    for line, where in lines.items():
        picture = _known(line, of_pair)
        label = found.get(picture or "")
        for first, second in [] if picture else _halves(line):
            picture, label = _known(first, of_picture), _known(second, of_map)
            if picture and label:
                break
        if picture and label:
            pair = pictures[picture], maps[label]
            if pair in chosen:
                raise ValueError(f"{where}: {picture!r} is in {chosen[pair]} already: name it once")
            chosen[pair] = where
        else:
            absent[images if _known(line, of_map) else labels].append(line)
    for folder, missing in absent.items():
        if missing:
            raise unclear or _lacks(folder, missing, len(lines), lines[missing[0]])
    return list(chosen)


def _halves(line: str) -> list[tuple[str, str]]:
    """The ways to read a line as two names."""
    return [(line[: gap.start()], line[gap.end() :]) for gap in re.finditer(r"\s*[,;\t ]\s*", line)]


def _known(line: str, names: Mapping[str, str]) -> str | None:
    """What a line means among `names`: as it is, without the file's ending, without its folders."""
    path = Path(line)
    if re.search(r"\s", path.suffix):  # more is on the line than a file's name
        return names.get(line)
    forms = (line, path.with_suffix("").as_posix() if path.name else line, path.name, path.stem)
    return next((names[form] for form in forms if form in names), None)


def _by_any_name(names: Mapping[str, object]) -> dict[str, str]:
    """Each name by itself and, where only one has it, without its folders."""
    counts = Counter(Path(name).name for name in names)
    return {Path(name).name: name for name in names if counts[Path(name).name] == 1} | {n: n for n in names}


def shared_ending(names: Collection[str]) -> str:
    """Return the ending, such as "_leftImg8bit", that all of several names share, or ""."""
    endings = [{name[gap.start() :] for gap in _SEPARATORS.finditer(name)} for name in names]
    return max(set.intersection(*endings), key=len, default="") if len(endings) > 1 else ""


def _lacks(
    folder: Path, missing: list[str], count: int, where: str = "", has: Sequence = ()
) -> FileNotFoundError:
    said = f" (the first: {where})" if where and where != "names" else ""
    if has:  # label maps without pictures
        said = (
            f" It has {few([*map(repr, has)])}. A label map is called like its picture, or like it with one ending for "
            "all ('cup', 'cup_mask'): rename them, move those that are none, or pass names= a list of pairs. One JSON "
            "for all pictures, as COCO's, is for datasets.Coco"
        )
    return FileNotFoundError(f"{folder} lacks {len(missing)} of {count} files: {missing[:3]} …{said}")
