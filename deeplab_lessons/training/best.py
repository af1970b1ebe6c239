"""The best state of a training, in a checkpoint of its own next to the last one."""

import math
from collections.abc import Iterable
from pathlib import Path

from deeplab_lessons.training import notes
from deeplab_lessons.training.checkpoints import CheckpointError, load_checkpoint


class Best:
    """What is known of the best state of the training in `last`: its file's `path`, and its `mean_iou` if it is there.

    `is_stale`: the file is of an earlier training in `last`, which begins afresh because `resume` is False. Raises
    CheckpointError where a file would be lost: one that is not a best state, or that of another training.
    """

    def __init__(
        self, last: Path, settings: dict, continued: bool, resume: bool, before: Iterable[float] = ()
    ):
        self.path = last.with_name(f"{last.stem}-best{last.suffix}")
        self.mean_iou, self.is_stale = -math.inf, False
        if not self.path.exists():
            self.mean_iou = max((score for score in before if score == score), default=-math.inf)
            return
        try:
            content = load_checkpoint(self.path)
        except CheckpointError:
            content = {}
        if not content.get("best"):
            raise CheckpointError(
                f"{self.path} is there, and the best state would replace it: move that file, or pass another path"
            )
        if continued and not notes.differences(content["settings"], settings):
            self.mean_iou = list(content["history"]["mean_iou"].values())[-1]
        elif continued or resume:
            raise CheckpointError(
                f"{self.path} holds the best state of another training: move it, or replace it with resume=False"
            )
        else:
            self.is_stale = True

    def is_beaten_by(self, mean_iou: float) -> bool:
        """Return whether no state before was as good, and remember this one; NaN is never good."""
        beaten = mean_iou > self.mean_iou
        self.mean_iou = mean_iou if beaten else self.mean_iou
        return beaten
