"""Mistakes are named: shapes, ranges and signs of what a CRF is given."""

import pytest
import torch
from crf_cases import (
    SMALL,
    batch_scene,
)

from deeplab_lessons import crf
from deeplab_lessons.classroom import tiny_crf

GOOD, PICTURE = batch_scene(size=(6, 7))


P = GOOD.softmax(1)


NAN = GOOD.clone()
NAN[0, 1, 2, 3] = float("nan")


MISTAKES = {
    "channels last in scores": (GOOD.permute(0, 2, 3, 1), PICTURE, "logits", r"permute\(0, 3, 1, 2\)"),
    "channels last in picture": (
        GOOD,
        PICTURE.permute(0, 2, 3, 1),
        "logits",
        r"picture.permute\(0, 3, 1, 2\)",
    ),
    "numpy picture": (GOOD[0], PICTURE[0].permute(1, 2, 0).numpy(), "logits", r"\.transpose\(2, 0, 1\)"),
    "probabilities as logits": (P, PICTURE, "logits", 'kind="probabilities"'),
    "logits as probabilities": (GOOD, PICTURE, "probabilities", 'kind="logits"'),
    "log-probabilities as probabilities": (P.log(), PICTURE, "probabilities", "0 … 1"),
    "sums not one": (P * 0.9, PICTURE, "probabilities", "add up to one"),
    "sigmoids": (GOOD.sigmoid(), PICTURE, "probabilities", "softmax"),
    "not a number": (NAN, PICTURE, "logits", "1 values that are NaN"),
    "infinite": (GOOD / 0, PICTURE, "logits", "NaN or infinite"),
    "whole numbers": (GOOD.long(), PICTURE, "logits", "floating-point"),
    "picture in 0…1": (GOOD, PICTURE / 255, "logits", "0 … 255"),
    "normalised picture": (GOOD, PICTURE.float() - 120, "logits", "before any mean was subtracted"),
    "grey picture": (GOOD, PICTURE[:, :1], "logits", "expand"),
    "picture of int64": (GOOD, PICTURE.long(), "logits", "floating-point"),
    "other size": (GOOD[..., :3, :3], PICTURE, "logits", "interpolate"),
    "other batch": (GOOD[:1], PICTURE, "logits", "batch"),
    "one picture for a batch": (GOOD, PICTURE[0], "logits", "batch"),
    "one class": (GOOD[:, :1], PICTURE, "logits", "two classes"),
    "flat scores": (GOOD.flatten(2), PICTURE[0], "logits", "."),
    "no axes": (GOOD[0, 0], PICTURE[0], "logits", r"\[C, H, W\]"),
    "another kind": (GOOD, PICTURE, "logit", "unknown kind 'logit': choose from logits, probabilities"),
    "another device": (GOOD.to("meta"), PICTURE, "logits", "move one"),
    "a list": (GOOD.tolist(), PICTURE, "logits", "got list"),
    "empty": (GOOD[:0], PICTURE[:0], "logits", "empty"),
}


@pytest.mark.parametrize("layer", [crf.DenseCRF, tiny_crf.ExactCRF])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake, layer):
    scores, picture, kind, words = MISTAKES[mistake]
    with pytest.raises((ValueError, TypeError), match=words):
        layer(SMALL)(scores, picture, kind)


@pytest.mark.parametrize(
    "unary, words",
    [
        (P[0], "probabilities, not energies"),
        (P[0].log(), "wrong sign"),
        (GOOD, "one picture"),
        (NAN[0], "NaN"),
    ],
)
def test_wrong_unaries_are_named(unary, words):
    with pytest.raises(ValueError, match=words):
        crf.mean_field(unary, [])


def test_probabilities_with_channels_last_are_recognised_without_a_picture():
    with pytest.raises(ValueError, match=r"last axis.*permute\(0, 3, 1, 2\)"):
        crf.unary_from_probabilities(P.permute(0, 2, 3, 1))


def test_energies_that_only_look_like_probabilities_need_a_constant():
    torch.testing.assert_close(crf.mean_field(P[0] + 1, []), torch.softmax(-P[0], 0))


def test_num_classes_helps_to_find_channels_that_are_last():
    layer = crf.DenseCRF(SMALL, num_classes=3)
    with pytest.raises(ValueError, match="channels last"):
        layer(torch.randn(6, 6, 3), PICTURE[0, :, :6, :6])
    with pytest.raises(ValueError, match="must have 3 classes, got 4"):
        layer(torch.randn(4, 6, 7), PICTURE[0])
