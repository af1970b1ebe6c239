"""One picture shown at several sizes and mirrored, a whole set measured, and what a training keeps in memory."""

import numpy as np
import pytest
import torch
from PIL import Image
from small_training import bright_squares, run, tiny
from torch import nn
from torch.nn import functional as F

from deeplab_lessons import backbones, crf, datasets, inference, models, overlays, training
from deeplab_lessons import receptive_field as rf
from deeplab_lessons.classroom import gradient_fields, measure
from deeplab_lessons.grid import PIXELS, Grid
from deeplab_lessons.inference import ManyViews
from deeplab_lessons.models.with_crf import CRFNetwork


class Pointwise(nn.Module):
    """Logits from each pixel alone, so that nothing changes when the picture does not."""

    grid = PIXELS

    def forward(self, x):
        return torch.cat([x, -x[:, :1]], dim=1)


class LeftOrRight(nn.Module):
    """Sees class 0 in the left half of any picture and class 1 in the right half; cells of 4 pixels."""

    grid = Grid(4, None)

    def forward(self, x):
        columns = x.shape[3] // 4
        left = (torch.arange(columns) < columns // 2).float() * 8 - 4
        return torch.stack([left, -left])[:, None].expand(len(x), 2, x.shape[2] // 4, columns)


def test_one_view_is_the_network_itself():
    pictures = torch.randn(2, 3, 9, 11)
    views = ManyViews(Pointwise())
    assert torch.allclose(views(pictures), Pointwise()(pictures).log_softmax(1), atol=1e-5)


def test_probabilities_of_the_views_are_averaged():
    pictures = torch.randn(1, 3, 17, 17)
    shown = [
        F.interpolate(pictures, (side, side), mode="bilinear", align_corners=True) for side in (9, 17, 33)
    ]
    maps = [F.interpolate(Pointwise()(x), (17, 17), mode="bilinear", align_corners=True) for x in shown]
    each = torch.stack([logits.softmax(1) for logits in maps])
    found = ManyViews(Pointwise(), (0.5, 1, 2))(pictures).exp()
    assert torch.allclose(found, each.mean(0), atol=1e-5)


def test_a_mirrored_view_is_mirrored_back():
    pictures = torch.zeros(1, 3, 16, 16)
    plain = ManyViews(LeftOrRight())(pictures).exp()
    assert plain[0, 0, :, 0].min() > 0.99 and plain[0, 0, :, -1].max() < 0.01
    both = ManyViews(LeftOrRight(), flip=True)(pictures).exp()
    assert torch.allclose(both, torch.full_like(both, 0.5)), "the two views contradict each other everywhere"
    symmetric = torch.randn(1, 3, 12, 13)
    found = ManyViews(Pointwise(), flip=True)(symmetric)
    assert torch.allclose(found, Pointwise()(symmetric).log_softmax(1), atol=1e-5)


def test_views_are_measured_like_a_network():
    network = models.deeplab_v2(4, "vgg16", (2,), width=1 / 32, batch_norm=True, dropout=0.0).eval()
    views, image = ManyViews(network, (0.75, 1), flip=True), torch.randn(3, 48, 64)
    assert inference.scores(views, image).shape == (4, 48, 64)
    mirrored = inference.scores(views, image.flip(-1)).flip(-1)
    assert torch.allclose(inference.scores(views, image), mirrored, atol=1e-4)


@pytest.mark.parametrize("scales", [(), (1, -1)])
def test_wrong_scales_are_named(scales):
    with pytest.raises(ValueError, match="scales must be positive"):
        ManyViews(Pointwise(), scales)


# A whole data set, measured against what can be said beforehand

VOID = 255


def random_labels(seed, height=9, width=11, classes=3, void=0.2):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, (height, width)).astype(np.uint8)
    labels[rng.random((height, width)) < void] = VOID
    return labels


def knows(labels):
    """A model that gives the true labels at stride 1, whatever it sees."""
    clean = torch.as_tensor(np.where(labels == VOID, 0, labels)).long()

    def model(images):
        return torch.nn.functional.one_hot(clean, 3).permute(2, 0, 1)[None].float()

    model.grid = PIXELS
    return model


def test_the_truth_scores_full_marks_and_void_does_not_count():
    labels = random_labels(4)
    pair = (torch.zeros(3, *labels.shape), torch.as_tensor(labels).long())
    scores = inference.evaluate(knows(labels), [pair, pair], trimap=(1, 3))
    assert scores.mean_iou == scores.pixel_accuracy == 1
    assert scores.trimap_mean_iou == {1: 1.0, 3: 1.0}
    assert scores.confusion.sum() == 2 * (labels != VOID).sum()


def test_always_background_scores_its_share():
    labels = torch.zeros(16, 16, dtype=torch.int64)
    labels[:4] = 1

    def background(images):
        return torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 16, 16)

    scores = inference.evaluate(background, [(torch.zeros(3, 16, 16), labels)], grid=PIXELS)
    assert scores.iou == {"0": 0.75, "1": 0.0}
    assert scores.pixel_accuracy == 0.75 and "37.5 %" in repr(scores)


def test_pictures_are_summed_before_dividing():
    """PASCAL VOC's way: a picture with few pixels of a class counts for little."""
    few, many = torch.zeros(8, 8, dtype=torch.int64), torch.ones(8, 8, dtype=torch.int64)
    few[0, 0] = 1

    def ones(images):
        return torch.tensor([0.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, 8, 8)

    scores = inference.evaluate(ones, [(torch.zeros(3, 8, 8), mask) for mask in (few, many)], grid=PIXELS)
    assert scores.iou["1"] == pytest.approx(65 / 128)


def test_an_empty_set_and_strange_labels_are_explained():
    with pytest.raises(ValueError, match="the data set is empty"):
        inference.evaluate(knows(np.zeros((4, 4))), [])
    labels = torch.full((4, 4), 7)
    with pytest.raises(ValueError, match=r"labels must be classes 0 to 2 or void \(255\), got \[7\]"):
        inference.evaluate(knows(np.zeros((4, 4))), [(torch.zeros(3, 4, 4), labels)])


# Overlays, written to files


def photo(path):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((8, 9, 3), 90, np.uint8)).save(path)
    return path


def test_an_overlay_goes_beside_its_picture_or_where_it_is_told(tmp_path):
    source = photo(tmp_path / "mine.jpg")
    for output, written in (
        (None, "mine-segmented.png"),
        (tmp_path / "out", "out/mine-segmented.png"),
        (tmp_path / "deep" / "one.png", "deep/one.png"),
    ):
        assert inference.segment(Pointwise(), source, output) == tmp_path / written
        assert Image.open(tmp_path / written).size == (9, 8)
    assert not [path for path in tmp_path.rglob("*.part")]


def test_an_overlay_replaces_a_file_only_when_told_and_a_picture_never(tmp_path):
    source = photo(tmp_path / "mine.png")
    inference.segment(Pointwise(), source)
    with pytest.raises(FileExistsError, match=r"mine-segmented\.png is there already: pass overwrite=True"):
        inference.segment(Pointwise(), source)
    inference.segment(Pointwise(), source, overwrite=True, opacity=0)
    assert np.array_equal(Image.open(tmp_path / "mine-segmented.png"), Image.open(source))
    with pytest.raises(ValueError, match=r"would replace the picture .*mine\.png"):
        inference.segment(Pointwise(), source, source, overwrite=True)
    other = photo(tmp_path / "other.png")
    with pytest.raises(FileExistsError, match=r"other\.png is not an overlay"):
        inference.segment(Pointwise(), source, other, overwrite=True)
    with pytest.raises(IsADirectoryError, match="is a folder: pass the pictures in it"):
        inference.segment(Pointwise(), tmp_path)


def test_the_overlay_has_a_legend_and_leaves_the_background(tmp_path):
    source = photo(tmp_path / "mine.png")
    names = ("background", "cup", "spoon", "fork")
    plain, named, bare = (tmp_path / f"{name}.png" for name in ("plain", "named", "bare"))
    inference.segment(Pointwise(), source, plain)
    inference.segment(Pointwise(), source, named, classes=names)
    inference.segment(Pointwise(), source, bare, classes=names, legend=False)
    found = np.unique(inference.predict(Pointwise(), source))
    first, second, third = (np.array(Image.open(path)) for path in (plain, named, bare))
    assert first.shape == third.shape == (8, 9, 3) and second.shape[0] > 20, "a legend needs names"
    assert found.tolist() == [3] and (third == first).all() and (second[:8, :9] == third).all()
    background = Pointwise()
    background.forward = lambda x: torch.cat([x[:, :1] * 0 + 9, x], 1)
    inference.segment(background, source, bare, classes=names, legend=False, overwrite=True)
    assert (np.array(Image.open(bare)) == 90).all()


def test_labels_are_read_back_exactly(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(3):
        (tmp_path / "images").mkdir(exist_ok=True)
        drawn = Image.fromarray(rng.integers(0, 256, (20 + number, 30, 3), np.uint8))
        exif = Image.Exif()
        exif[0x0112] = 6 if number == 2 else 1  # the camera was turned
        drawn.save(tmp_path / "images" / f"{number}.jpg", exif=exif)
    palette = overlays.padded([(9, 9, 9), (128, 0, 0), (0, 9, 200), (0, 99, 0)], void=(1, 2, 3))
    for source, path in inference.overlay_paths(
        [tmp_path / "images"], tmp_path / "out", kind="labels"
    ).items():
        assert path.name == f"{source.stem}-labels.png"
        inference.segment(Pointwise(), source, path, palette, kind="labels")
    read = datasets.LabelMapFolder(tmp_path / "images", tmp_path / "out", tuple("abcd"))
    assert len(read) == 3
    for index, (source, path) in enumerate(read.files):
        picture, labels = read.pair(index)
        assert (labels == inference.predict(Pointwise(), source)).all() and len(np.unique(labels)) > 1
        with Image.open(path) as file:
            assert file.mode == "P" and file.getpalette()[:12] == palette[:4].ravel().tolist()
            assert file.getpalette()[765:] == [1, 2, 3] and file.size == picture.shape[1::-1]
    with pytest.raises(ValueError, match="unknown kind 'masks': choose from overlay, labels"):
        inference.segment(Pointwise(), source, kind="masks")


# Large photographs, shown to the network reduced


def test_a_picture_that_is_not_reduced_gets_the_labels_of_its_scores():
    network = tiny().eval()
    picture = np.random.default_rng(1).integers(0, 256, (41, 53, 3), np.uint8)
    direct = inference.scores(network, datasets.transforms.normalise(picture)).argmax(0).numpy()
    for longest in (None, 53, 1000):
        assert (inference.predict(network, picture, longest_side=longest) == direct).all()


def test_rows_that_are_enlarged_apart_give_the_same(monkeypatch):
    network = tiny().eval()
    picture = np.random.default_rng(1).integers(0, 256, (64, 80, 3), np.uint8)
    at_once = inference.predict(network, picture, longest_side=40)
    monkeypatch.setattr(inference, "_AT_ONCE", 1)
    assert (inference.predict(network, picture, longest_side=40) == at_once).mean() > 0.999
    assert at_once.shape == (64, 80) and len(np.unique(at_once)) > 1


@pytest.mark.parametrize(("height", "width"), [(300, 400), (333, 777), (401, 200)])
@pytest.mark.parametrize("model", [Pointwise(), LeftOrRight()])
def test_labels_of_a_reduced_picture_lie_where_they_belong(height, width, model):
    """The border between two halves stays where it is, to the size of a reduced pixel, or cell."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, width // 2 :] = 255
    seen = []
    model = type(model)()
    model.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[2:]))
    labels = inference.predict(model, picture, longest_side=80)
    assert labels.shape == (height, width) and max(seen[0]) == 80
    (left,), (right,) = np.unique(labels[:, : width // 2 - 45]), np.unique(labels[:, width // 2 + 45 :])
    assert left != right
    border = (labels == left).sum(1)
    assert np.abs(border - width // 2).max() <= 2.5 * max(height, width) / 80


def test_reduced_pictures_cover_the_whole_picture():
    picture = np.arange(256, dtype=np.uint8)[:, None, None].repeat(90, 1).repeat(3, 2)
    small = datasets.transforms.reduced(picture, 64)
    assert small.shape == (64, 22, 3) and np.abs(small[:, 0, 0] - (4 * np.arange(64) + 1.5)).max() <= 0.5
    assert datasets.transforms.reduced(picture, 256) is picture is datasets.transforms.reduced(picture, None)
    with pytest.raises(ValueError, match="longest_side must be at least 1 pixel, got 0"):
        datasets.transforms.reduced(picture, 0)


# Whatever a function does with a model, each module has its own mode afterwards


def half_asleep():
    """A network in training whose caller has put batch norm to sleep, and half of whose weights do not learn."""
    model = tiny()
    model.body[1].eval()
    model.fc8.requires_grad_(False)
    return model


def state(model):
    """Modes, what learns, and all numbers."""
    modes = {name: part.training for name, part in model.named_modules()}
    learn = {name: weight.requires_grad for name, weight in model.named_parameters()}
    return modes, learn, {name: value.clone() for name, value in model.state_dict().items()}


IMAGE = bright_squares(1)[0][0]
SETTING = crf.Parameters(w1=2, sigma_alpha=6, sigma_beta=20, w2=1, sigma_gamma=1)
#: Public functions that are given a model, and look only.
LOOKING = {
    "scores": lambda model, _: inference.scores(model, IMAGE),
    "predict": lambda model, _: inference.predict(model, IMAGE),
    "segment": lambda model, home: inference.segment(model, picture(home), home / "out.png"),
    "evaluate": lambda model, _: training.evaluate(model, bright_squares(2), trimap=[1]),
    "ManyViews": lambda model, _: ManyViews(model, (0.75, 1), flip=True),
    "ManyViews, evaluated": lambda model, _: training.evaluate(
        ManyViews(model, flip=True), bright_squares(2)
    ),
    "CRFNetwork": lambda model, _: CRFNetwork(model, crf.DenseCRF(SETTING)),
    "CRFNetwork, evaluated": lambda model, _: inference.predict(
        CRFNetwork(model, crf.DenseCRF(SETTING)), IMAGE
    ),
    "MultiScale, evaluated": lambda model, _: inference.predict(models.MultiScale(model), IMAGE),
    "trace": lambda model, _: rf.trace(model, 32),
    "empirical_field": lambda model, _: gradient_fields.empirical_field(model, 32),
    "effective_field": lambda model, _: gradient_fields.effective_field(model, 32, samples=1),
    "describe": lambda model, _: measure.describe(model, 32, "fc8"),
    "milliseconds": lambda model, _: measure.milliseconds(model, 32, repeats=1, training=True),
    "kept_for_backward": lambda model, _: measure.kept_for_backward(model, 32, batch_size=2),
}


def picture(home):
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(home / "photo.png")
    return home / "photo.png"


def same(before, after):
    numbers = all(torch.equal(value, after[2][name]) for name, value in before[2].items())
    return before[:2] == after[:2] and numbers


@pytest.mark.parametrize("name", LOOKING)
@pytest.mark.parametrize("asleep", [False, True])
def test_looking_at_a_model_leaves_it_as_it_was(name, asleep, tmp_path):
    model = half_asleep().train(not asleep) if asleep else half_asleep()
    if asleep:
        model.body[3].train()  # dropout that is awake in a network that is not
    before = state(model)
    LOOKING[name](model, tmp_path)
    assert same(before, state(model))


class Breaks(Exception):
    pass


@pytest.mark.parametrize("error", [Breaks, KeyboardInterrupt])
@pytest.mark.parametrize("name", [name for name in LOOKING if name not in ("ManyViews", "CRFNetwork")])
def test_a_model_is_as_it_was_also_after_an_error(name, error, tmp_path):
    model = half_asleep()
    before = state(model)

    def break_off(*_):
        raise error

    with model.fc8.register_forward_pre_hook(break_off), pytest.raises(error):
        LOOKING[name](model, tmp_path)
    assert same(before, state(model))


def test_training_gives_each_module_its_own_mode_back():
    seen = {}

    def watch(done, model):
        seen[done] = state(model)[0]
        model.eval()

    model, frozen = half_asleep(), half_asleep()
    before = state(model)
    run(model, validation=bright_squares(2), validate_every=6, watch=watch)
    assert set(seen[6].values()) == set(seen[12].values()) == {True}, (
        "training wakes all, validation changes nothing"
    )
    assert state(model)[:2] == before[:2]
    run(frozen, freeze_batch_norm=True, iterations=2)
    assert state(frozen)[:2] == before[:2], "batch norm may learn again"


@pytest.mark.parametrize("error", [Breaks, KeyboardInterrupt])
def test_a_training_that_breaks_off_gives_the_modes_back(error):
    def watch(done, model):
        raise error

    model = half_asleep()
    before = state(model)
    with pytest.raises(error):
        run(model, watch=watch, freeze_batch_norm=True)
    assert state(model)[:2] == before[:2]


def test_a_networks_own_switch_follows_its_mode():
    """What `train` does beside setting modes, here the CRF's updates, is that of each module's own mode."""
    inner = CRFNetwork(half_asleep(), crf.DenseCRF(SETTING), iterations=(2, 7))
    model = nn.Sequential(inner)
    model.grid = PIXELS
    inner.eval()
    inner.network.body[1].train()
    before = state(model)
    inference.predict(model, IMAGE)
    assert inner.crf.setting.iterations == 7 and same(before, state(model))


def test_a_wrapper_takes_the_mode_of_its_network():
    for mode in (True, False):
        model = tiny().train(mode)
        for wrapper in (ManyViews(model), CRFNetwork(model, crf.DenseCRF(SETTING), iterations=(2, 7))):
            assert wrapper.training == model.training == mode
        assert wrapper.crf.setting.iterations == (2 if mode else 7)


def test_edited_networks_keep_the_modes_of_their_layers():
    vgg = backbones.vgg16(1 / 64, batch_norm=True)
    vgg.features[1].eval()
    vgg.classifier[0].eval()
    edited = backbones.fully_convolutional(vgg)
    assert [name for name, part in edited.named_modules() if not part.training] == ["bn1_1", "fc6"]
