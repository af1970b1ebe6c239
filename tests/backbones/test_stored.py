"""What is passed in place of weights: unwrapped where the meaning is plain, named for what it is where not."""

import io
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from deeplab_lessons import backbones, training
from deeplab_lessons.backbones import stored
from deeplab_lessons.backbones.weights import load_weights

PLAIN = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2)}


def renamed(form):
    return {form.format(name): tensor for name, tensor in PLAIN.items()}


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        OrderedDict(PLAIN),
        {"state_dict": PLAIN},
        {
            "model": PLAIN,
            "optimizer": {"state": {0: {"momentum": torch.ones(2)}}, "param_groups": [{"lr": 1}]},
        },
        {"model_state_dict": PLAIN, "epoch": 3, "best": np.float64(0.5), "loss": [1.0]},
        {"checkpoint": {"state_dict": PLAIN}, "meta": {"classes": ["a"]}},
        {
            "state_dict": renamed("model.{}"),
            "pytorch-lightning_version": "2.5",
            "hyper_parameters": {"lr": 1},
        },
        renamed("module.{}"),
        renamed("module.module.{}"),
        renamed("_orig_mod.{}"),
        renamed("module._orig_mod.{}"),
        renamed("_orig_mod.module.net.{}"),
        {name.replace("a.", "a._orig_mod."): tensor for name, tensor in PLAIN.items()},
    ],
)
def test_weights_are_found_inside_what_others_wrap_around_them(content, tmp_path):
    torch.save(content, tmp_path / "net.pth")
    for given in (content, tmp_path / "net.pth", str(tmp_path / "net.pth")):
        found = load_weights(given, None)
        assert list(found) == list(PLAIN)
        assert all(torch.equal(found[name], tensor) for name, tensor in PLAIN.items())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"net": PLAIN, "ema": PLAIN}, r"several sets of weights, \['net'\] and \['ema'\]"),
        ({"epoch": 3, "lr": 0.1}, "holds no weights, but: epoch, lr"),
        ([torch.ones(2)], "holds no weights, but: list"),
        (torch.ones(2), "holds no weights, but: Tensor"),
        (3, "holds no weights, but: int"),
    ],
)
def test_a_file_without_weights_says_what_it_holds(content, words, tmp_path):
    torch.save(content, tmp_path / "net.pth")
    with pytest.raises(RuntimeError, match=words) as caught:
        load_weights(tmp_path / "net.pth", None)
    assert "net.pth" in str(caught.value)


def zipped(name, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def saved(thing, **options):
    file = io.BytesIO()
    torch.save(thing, file, **options)
    return file.getvalue()


def scripted():
    file = io.BytesIO()
    with pytest.warns(FutureWarning):
        torch.jit.save(torch.jit.trace(nn.Conv2d(1, 1, 1), torch.zeros(1, 1, 2, 2)), file)
    return file.getvalue()


def safetensors():
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    return len(header).to_bytes(8, "little") + header + b"\0\0\0\0"


FOREIGN = {
    "a photograph": (b"\xff\xd8\xff\xe0 JFIF", "is a picture"),
    "a PNG": (b"\x89PNG\r\n\x1a\n", "is a picture"),
    "a web page": (b"<!DOCTYPE html><html>Not found</html>", "is a web page"),
    "a Git LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:12", "git lfs pull"),
    "a text": (b"classes\nroad\nsky\n" * 100, "is a text"),
    "a text with umlauts": ("Gr\u00fc\u00dfe\n".encode() * 500, "is a text"),
    "nothing": (b"", "is empty"),
    "a safetensors file": (safetensors(), "is a safetensors file"),
    "an archive": (b"\x1f\x8b\x08 tar.gz", "is an archive: unpack it"),
    "a zip": (zipped("photos/a.txt", "hello"), "damaged, cut off or of another kind"),
    "a file of Keras": (b"\x89HDF\r\n\x1a\n", "another program"),
    "a whole model": (saved(nn.Conv2d(1, 1, 1)), r"save model.state_dict\(\) instead"),
    "an old whole model": (
        saved(nn.Conv2d(1, 1, 1), _use_new_zipfile_serialization=False), r"save model.state_dict\(\) instead",
    ),
    "weights cut off": (saved({"a": torch.ones(1000)})[:-400], "damaged, cut off or of another kind"),
    "random bytes": (bytes(range(256)) * 9, "damaged, cut off or of another kind"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_another_kind_of_file_is_named_at_both_doors(name, tmp_path):
    content, words = FOREIGN[name]
    path = tmp_path / "net.pth"
    path.write_bytes(content)
    for error, read in ((RuntimeError, lambda: load_weights(path, None)),
                        (training.CheckpointError, lambda: training.load_checkpoint(path)),
                        (training.CheckpointError, lambda: training.load_model(path))):  # fmt: skip
        with pytest.raises(error, match=words) as caught:
            read()
        said = str(caught.value)
        assert said.startswith(str(path)) and "\n" not in said and "elete" not in said
    assert path.read_bytes() == content


def test_a_scripted_model_is_named(tmp_path, recwarn):
    (tmp_path / "net.pt").write_bytes(scripted())
    recwarn.clear()
    with pytest.raises(RuntimeError, match=r"save model.state_dict\(\) instead"):
        stored.read(tmp_path / "net.pt")
    assert not recwarn.list, "torch's own warning says what the message says"


def test_a_pickle_is_not_run(tmp_path, capsys):
    class Harmful:
        def __reduce__(self):
            return print, ("this code was executed",)

    for content in (pickle.dumps(Harmful()), saved({"a": Harmful()})):
        (tmp_path / "net.pt").write_bytes(content)
        with pytest.raises(RuntimeError, match="holds more than tensors"):
            stored.read(tmp_path / "net.pt")
    assert capsys.readouterr().out == ""


def test_numbers_of_numpy_are_read(tmp_path):
    """An earlier edition wrote them: `lr=np.logspace(-3, -1, 3)[0]`."""
    numbers = [np.float64(0.5), np.float32(0.5), np.int64(3), np.bool_(True)]
    torch.save({"numbers": numbers, "a": torch.ones(1)}, tmp_path / "run.pt")
    assert stored.read(tmp_path / "run.pt")["numbers"] == numbers


def test_a_network_given_for_its_weights_is_named():
    with pytest.raises(TypeError, match=r"got Conv2d: pass its state_dict\(\)"):
        load_weights(nn.Conv2d(1, 1, 1), None)


def test_a_checkpoint_of_the_course_is_no_backbones_weights(tmp_path):
    training.save_checkpoint({"model": PLAIN, "about": {}}, tmp_path / "run.pt")
    with pytest.raises(RuntimeError, match=r"run\.pt is a checkpoint of this course.*load_model.*--start"):
        backbones.vgg16(0.0625, weights=tmp_path / "run.pt")


def test_numbers_and_words_beside_the_weights_are_left_out(tmp_path):
    weights = {"conv.weight": torch.ones(1, 1, 1, 1)}
    assert stored.state_dict_in({**weights, "epoch": 3, "name": "net", "best": None}, "net.pt") == weights
