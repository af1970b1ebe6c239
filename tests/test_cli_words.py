"""What the library says, in the words of the command line."""

from argparse import Namespace

import pytest

from deeplab_lessons.cli_words import in_options


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("pass resume=False or another path", "pass --new or another path"),
        ("3 to 10 times smaller, or clip=10. Are", "3 to 10 times smaller, or --clip 10. Are"),
        ("pass freeze_batch_norm=False", "pass no --freeze-batch-norm"),
        ("or freeze batch norm (freeze_batch_norm)", "or freeze batch norm (--freeze-batch-norm)"),
        ("its path as weights=…; with weights=None the", "its path as --weights …; with no --weights the"),
        ("train with batch_size=1.", "train with --batch-size 1."),
        ("cure: ids={0: 0, 255: 1} or", "cure: --ids 0:0,255:1 or"),
        ("pass palette=[[0, 0, 0], [255, 0, 9]].", "pass --palette 0,0,0:255,0,9."),
        ("pass classes=('cup', 'spoon'); or", "pass --classes cup,spoon; or"),
        ("pass ending='_mask', or", "pass --ending _mask, or"),
        ("try ids={0: 0, 255: 1} (--ids 0:0,255:1)", "try --ids 0:0,255:1"),
        ("pass blocks=(1, 2)", "pass blocks (1, 2)"),
        ("Do width, batch_norm and num_classes agree", "Do width, batch norm and num classes agree"),
        (
            "mobilenet_v2 and v1_7x7 and backbone.bn1_1.weight",
            "mobilenet_v2 and v1_7x7 and backbone.bn1_1.weight",
        ),
        ("there is no checkpoint lr=0.1.pt: train", "there is no checkpoint lr=0.1.pt: train"),
        ("there is no batch_size in my_nets/a_b.pt", "there is no batch_size in my_nets/a_b.pt"),
        (
            "images lacks ['cup_mask_mask']; in groups 'cup_', 'a_b'",
            "images lacks ['cup_mask_mask']; in groups 'cup_', 'a_b'",
        ),
        ("pass palette= with a colour, or names= a list", "pass --palette with a colour, or --names a list"),
        ("first line\nsecond line", "first line"),
    ],
)
def test_messages_of_the_library_are_said_in_options(message, said):
    given = {"checkpoint": "lr=0.1.pt", "start": "batch_size"}
    assert in_options(message, Namespace(command="train", **given)) == said
