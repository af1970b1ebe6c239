"""What a continued training must share with its beginning: each thing that changes the result, one by one."""

import inspect

import numpy as np
import pytest
import torch
from PIL import Image
from small_training import GRID, bright_squares, run, same_weights, tiny
from torch import nn

from deeplab_lessons import parallel, training
from deeplab_lessons.classroom.built_in import Embedded
from deeplab_lessons.datasets import Folder, transforms
from deeplab_lessons.grid import Grid
from deeplab_lessons.training.checkpoints import CheckpointError, OtherSettings
from deeplab_lessons.training.notes import differences


class Stop(Exception):
    pass


def begun(path, **options):
    """A training that broke off after half of its 12 iterations."""

    def stop(done, model):
        raise Stop

    with pytest.raises(Stop):
        run(tiny(), checkpoint=path, validate_every=6, save_every=3, watch=stop, **options)


#: Every argument of `train` that must be the same again, and another value for it.
COMPARED = {
    "iterations": 24, "batch_size": 2, "lr": 0.02, "schedule": "step", "loss": "area", "seed": 4, "clip": 1.0,
    "amp": "bf16", "channels_last": True, "freeze_batch_norm": True, "class_weights": [1.0, 2.0],
    "weight_decay": 1e-4, "released_groups": True,
}  # fmt: skip
#: Those that are compared by their content, in tests of their own.
BY_CONTENT = {"model", "dataset", "validation", "grid", "about"}
#: Those that may change, and why.
MAY_CHANGE = {
    "validate_every": "only says how often mIoU is measured",
    "watch": "looks on",
    "checkpoint": "a file that was moved holds the same training",
    "save_every": "only says how often the state is kept",
    "resume": "asks for another beginning",
    "device": "a training may move to another machine, with its own rounding",
    "compiled": "the same computation, rounded as the machine does it",
    "workers": "the order of the data depends on seed and iteration only",
    "progress": "looks on",
}


def test_every_argument_is_compared_or_may_change():
    known = [*COMPARED, *BY_CONTENT, *MAY_CHANGE]
    assert sorted(known) == sorted(inspect.signature(training.train).parameters)


@pytest.mark.parametrize("name", COMPARED)
def test_another_setting_is_refused_by_name(tmp_path, name):
    path, model = tmp_path / "run.pt", tiny()
    begun(path)
    before = path.read_bytes()
    with pytest.raises(
        OtherSettings, match=rf"was begun with other settings: {name} was .*, now .*resume=False"
    ) as error:
        run(model, checkpoint=path, **{name: COMPARED[name]})
    assert error.value.changed[name][1] == str(COMPARED[name]) and error.value.path == path
    assert path.read_bytes() == before and same_weights(model, tiny())


@pytest.mark.parametrize(
    "name", ["clip", "amp", "channels_last", "freeze_batch_norm", "class_weights", "released_groups"]
)
def test_a_setting_that_is_left_out_later_is_refused(tmp_path, name):
    begun(tmp_path / "run.pt", **{name: COMPARED[name]})
    with pytest.raises(OtherSettings, match=f"{name} was"):
        run(tiny(), checkpoint=tmp_path / "run.pt")


def test_what_may_change_changes_nothing(tmp_path):
    whole, model = tiny(), tiny(seed=9)
    begun(tmp_path / "run.pt", about={"note": "monday"})
    moved = (tmp_path / "run.pt").rename(tmp_path / "moved.pt")
    run(whole)
    history = run(
        model, checkpoint=moved, validation=bright_squares(2), validate_every=5, save_every=1,
        watch=lambda *_: None, about={"other note": 1},
    )  # fmt: skip
    assert history.finished and same_weights(model, whole)
    kept = training.load_checkpoint(moved)["about"]
    assert kept.items() >= {"note": "monday", "other note": 1}.items(), (
        "what was noted at the beginning is kept"
    )


def scenes(split="train", count=6, size=32, crop=24, scale=(0.5, 1.5), flip=0.5):
    return Embedded(split, count, size, transforms.train(crop, scale, flip))


OTHER_SCENES = {
    "split": ({"split": "test"}, "split was train, now test"),
    "count": ({"count": 5}, "samples was 6, now 5"),
    "size": ({"size": 48}, "size was 32, now 48"),
    "crop": ({"crop": 16}, r"RandomCrop\(size=\(24, 24\).*RandomCrop\(size=\(16, 16\)"),
    "scale": (
        {"scale": (0.5, 2.0)},
        r"RandomScale\(scale=\(0.5, 1.5\)\), now RandomScale\(scale=\(0.5, 2.0\)\)",
    ),
    "no scale": ({"scale": None}, "transforms was RandomScale"),
    "flip": ({"flip": 0.0}, r"RandomHorizontalFlip\(p=0.5\), now RandomHorizontalFlip\(p=0.0\)"),
}


def six():
    """A network for the built-in scenes."""
    return tiny(classes=6)


@pytest.fixture(scope="module")
def on_scenes(tmp_path_factory):
    """What a training on scenes keeps: read again in each test below, and written by none."""
    path = tmp_path_factory.mktemp("scenes") / "run.pt"
    run(six(), scenes(), validation=scenes("val", 2, 32), checkpoint=path, iterations=1)
    return path


@pytest.mark.parametrize("name", OTHER_SCENES)
def test_other_data_are_refused_by_name(on_scenes, name):
    change, words = OTHER_SCENES[name]
    with pytest.raises(OtherSettings, match=words):
        run(six(), scenes(**change), checkpoint=on_scenes, iterations=1)


def test_the_same_data_made_again_are_the_same(on_scenes):
    assert run(six(), scenes(), checkpoint=on_scenes, iterations=1).finished


def test_another_set_to_measure_on_is_refused(on_scenes):
    with pytest.raises(OtherSettings, match="validation split was val, now test"):
        run(six(), scenes(), validation=scenes("test", 2, 32), checkpoint=on_scenes, iterations=1)


def test_a_part_of_a_set_is_told_from_another_part(tmp_path):
    first, second = (torch.utils.data.Subset(scenes(), range(*part)) for part in ((0, 4), (1, 5)))
    run(six(), first, checkpoint=tmp_path / "run.pt", iterations=1)
    with pytest.raises(OtherSettings, match="indices was 0, now 1"):
        run(six(), second, checkpoint=tmp_path / "run.pt", iterations=1)


def test_a_list_of_other_pairs_is_refused(tmp_path):
    begun(tmp_path / "run.pt")
    with pytest.raises(OtherSettings, match=r"first image was .*first labels was"):
        run(tiny(), bright_squares()[::-1], checkpoint=tmp_path / "run.pt")


def test_a_list_of_other_images_is_refused(tmp_path):
    begun(tmp_path / "run.pt")
    with pytest.raises(OtherSettings, match="first image was"):
        run(tiny(), [(image + 1, mask) for image, mask in bright_squares()], checkpoint=tmp_path / "run.pt")


def folder(home, names, value=1, classes=("a", "b")):
    for part in ("images", "labels"):
        (home / part).mkdir(parents=True, exist_ok=True)
    for name in names:
        labels = np.full((32, 32), 0, np.uint8)
        labels[8:16] = value
        Image.fromarray(np.stack([labels] * 3, 2)).save(home / "images" / f"{name}.png")
        Image.fromarray(labels).save(home / "labels" / f"{name}.png")
    return Folder(home / "images", home / "labels", classes, names)


def test_a_folder_that_was_moved_is_the_same_and_one_with_other_files_is_not(tmp_path):
    path, names = tmp_path / "run.pt", ["one", "two"]
    run(tiny(), folder(tmp_path / "here", names), checkpoint=path, iterations=1, batch_size=2)
    again = {"checkpoint": path, "iterations": 1, "batch_size": 2}
    (tmp_path / "here").rename(tmp_path / "there")
    assert run(tiny(), folder(tmp_path / "there", names), **again).finished
    for other, words in (
        (folder(tmp_path / "names", ["one", "three"]), "files was"),
        (folder(tmp_path / "labels", names, value=0), "first labels was"),
        (folder(tmp_path / "classes", names, classes=("a", "c")), "classes was b, now c"),
        (list(folder(tmp_path / "list", names)), "first labels was"),
    ):
        with pytest.raises(OtherSettings, match=words):
            run(tiny(), other, **again)


def dilated():
    model = tiny()
    model.fc8.dilation, model.fc8.padding = (2, 2), (2, 2)
    return model


def without_dropout():
    model = tiny()
    model.body[3].p = 0.0
    return model


def frozen():
    model = tiny()
    model.body[0].weight.requires_grad_(False)
    return model


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (dilated, r"network was \(fc8\): Conv2d\(.*dilation=\(2, 2\)"),
        (without_dropout, r"network was .*Dropout\(p=0.3.*, now .*Dropout\(p=0.0"),
        (frozen, r"weights that do not learn was nothing, now body\.0\.weight"),
    ],
)
def test_a_network_that_differs_without_other_weights_is_refused(tmp_path, other, words):
    begun(tmp_path / "run.pt")
    with pytest.raises(OtherSettings, match=words):
        run(other(), checkpoint=tmp_path / "run.pt")


def test_the_mode_of_the_network_makes_no_difference(tmp_path):
    begun(tmp_path / "run.pt")
    assert run(tiny().eval(), checkpoint=tmp_path / "run.pt").finished


def test_another_version_of_torch_may_print_a_network_in_another_way(tmp_path, monkeypatch):
    begun(tmp_path / "run.pt")
    monkeypatch.setattr(torch, "__version__", "99.0")
    monkeypatch.setattr(nn.Dropout, "extra_repr", lambda self: "in other words")
    assert run(tiny(), checkpoint=tmp_path / "run.pt").finished


def test_another_grid_is_refused(tmp_path):
    torch.manual_seed(0)
    model = nn.Conv2d(3, 2, 8, 8)
    run(model, checkpoint=tmp_path / "run.pt", grid=GRID, iterations=1)
    with pytest.raises(OtherSettings, match=r"grid was Grid.*start=None.*, now Grid.*start=3.5"):
        run(model, checkpoint=tmp_path / "run.pt", grid=Grid(8, 3.5), iterations=1)


def test_another_number_of_processes_is_refused(tmp_path, monkeypatch):
    begun(tmp_path / "run.pt")
    content = training.load_checkpoint(tmp_path / "run.pt")
    content["settings"]["processes"] = 2
    training.save_checkpoint(content, tmp_path / "run.pt")
    assert parallel.world_size() == 1
    with pytest.raises(OtherSettings, match="processes was 2, now 1"):
        run(tiny(), checkpoint=tmp_path / "run.pt")


def test_the_model_in_about_and_the_callers_own_settings_come_first(tmp_path):
    path, model = tmp_path / "run.pt", {"version": "v1", "rate": 12}
    begun(path, about={"model": model, "settings": {"start": "a.pt"}})
    with pytest.raises(OtherSettings, match=r"other settings: rate was 12, now 4\. To continue"):
        run(tiny(), checkpoint=path, about={"model": model | {"rate": 4}}, lr=0.5)
    with pytest.raises(OtherSettings, match=r"other settings: start was a\.pt, now b\.pt\. To continue"):
        run(tiny(), checkpoint=path, about={"model": model, "settings": {"start": "b.pt"}}, lr=0.5)
    assert run(tiny(), checkpoint=path).finished, "what is not given now is not compared"


def test_a_checkpoint_of_the_first_edition_is_continued_and_compared_by_what_it_holds(tmp_path):
    path, whole, model = tmp_path / "run.pt", tiny(), tiny(seed=5)
    begun(path)
    content = training.load_checkpoint(path)
    held = ("iterations", "batch_size", "lr", "schedule", "loss", "seed", "clip", "samples")
    content["settings"] = {name: content["settings"][name] for name in held}
    training.save_checkpoint(content, path)
    for change, words in (
        ({"lr": 1.0}, "lr was"),
        ({"freeze_batch_norm": True}, "freeze_batch_norm was False, now True"),
    ):
        with pytest.raises(CheckpointError, match=words):
            run(tiny(), checkpoint=path, **change)
    with pytest.raises(CheckpointError, match="samples was 12, now 11"):
        run(tiny(), bright_squares()[1:], checkpoint=path)
    run(model, checkpoint=path)
    run(whole)
    assert same_weights(model, whole)


def test_only_what_both_hold_is_compared():
    assert differences({"a": 1, "b": 2}, {"b": 2, "c": 3}) == {}
    assert differences({"a": [1, 2], "b": "x"}, {"a": [1, 3], "b": "y"}) == {"a": ("2", "3"), "b": ("x", "y")}


def test_a_list_and_an_equal_tuple_are_the_same():
    assert not differences({"rates": (1, (2, 3))}, {"rates": [1, [2, 3]]})
    assert differences({"rates": (1, 2)}, {"rates": [1, 3]}) == {"rates": ("2", "3")}
