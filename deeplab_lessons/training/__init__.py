"""Training and what belongs to it: learning rates, losses, the order of the data, checkpoints, the loop."""

from deeplab_lessons.inference import evaluate
from deeplab_lessons.training.batches import Batches, data_order
from deeplab_lessons.training.checkpoints import CheckpointError, load_checkpoint, load_model, save_checkpoint
from deeplab_lessons.training.checks import NotFinite
from deeplab_lessons.training.history import History
from deeplab_lessons.training.loop import optimiser_for, train
from deeplab_lessons.training.losses import (
    area_loss,
    cell_shares,
    cross_entropy,
    subsample_labels,
    subsample_loss,
    upsampled_loss,
)
from deeplab_lessons.training.recipes import Recipe, recipe
from deeplab_lessons.training.schedules import poly, step
from deeplab_lessons.training.starting import Started, start_from
from deeplab_lessons.training.timing import time_needed

__all__ = [
    "Batches", "CheckpointError", "History", "NotFinite", "Recipe", "Started", "area_loss", "cell_shares",
    "cross_entropy", "data_order", "evaluate", "load_checkpoint", "load_model", "optimiser_for", "poly", "recipe",
    "save_checkpoint", "start_from", "step", "subsample_labels", "subsample_loss", "time_needed", "train",
    "upsampled_loss",
]  # fmt: skip
