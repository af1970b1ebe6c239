"""The training loop of DeepLab v1 and all that follow: short enough to be read in a lesson."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from deeplab_lessons import parallel, runtime
from deeplab_lessons.datasets import Pairs, check
from deeplab_lessons.grid import Grid, grid_of, logits_of, unwrapped
from deeplab_lessons.inference import Scores, evaluate, own_modes
from deeplab_lessons.metrics.label_maps import check_labels
from deeplab_lessons.training import checkpoints, checks, class_weights, notes
from deeplab_lessons.training.batches import Batches, ignore_interrupts, own_randomness, seed_dropout
from deeplab_lessons.training.best import Best
from deeplab_lessons.training.history import History, Progress, Watcher
from deeplab_lessons.training.losses import LOSSES
from deeplab_lessons.training.schedules import SCHEDULES


def train(
    model: torch.nn.Module,
    dataset: Sequence | Pairs,
    validation: Sequence | Pairs | None = None,
    *,
    iterations: int,
    batch_size: int,
    lr: float,
    schedule: str = "poly",
    loss: str = "subsample",
    seed: int | None = None,
    weight_decay: float = 5e-4,
    released_groups: bool = False,
    clip: float | None = None,
    validate_every: int | None = None,
    watch: Callable[[int, torch.nn.Module], None] | None = None,
    checkpoint: str | Path | None = None,
    save_every: int = 100,
    resume: bool = True,
    about: dict | None = None,
    device: torch.device | str | None = None,
    amp: bool | str = False,
    channels_last: bool = False,
    compiled: bool = False,
    freeze_batch_norm: bool = False,
    class_weights: Sequence[float] | torch.Tensor | str | None = None,
    workers: int | None = None,
    grid: Grid | None = None,
    progress: bool | Watcher = True,
) -> History:
    """Train `model` in place on pairs (image, mask) and return what happened. Ctrl-C or SIGTERM stops it politely.

    `lr`, `weight_decay`, `released_groups`: as in `optimiser_for`. `schedule`: "step" or "poly". `loss`: "subsample",
    "area" or "upsampled". `clip`: largest norm of the gradient. Every `validate_every` iterations (a tenth of all)
    mIoU is measured on `validation`, and `watch(iterations_done, model)` is called. At `checkpoint` the state is saved
    every `save_every` iterations and at the end, with `about` and what `notes.about` adds to it, and next to it the
    one with the best mIoU (`mine-best.pt` for `mine.pt`); a training found there continues where it stopped and ends
    as if it had not; a finished one is read, in silence. What changes the result must be the same again, and so must
    `about["settings"]`; no two trainings may write to one checkpoint at a time. `amp` (True, "bf16" or "fp16") works
    on CUDA only; `compiled` goes through `torch.compile`; `freeze_batch_norm` leaves every batch norm as it is,
    statistics, factors and shifts (DeepLab v3, section 4.1). `class_weights` of the loss: a number for each class, or
    "median-frequency" (`class_weights.median_frequency`). `workers` prepare the data (on CUDA by default). `grid`: for
    a model that does not state `model.grid`; of a dict of outputs, the loss is taken on the entry "out" only.
    `progress`: True shows a bar, and a line at each validation; False nothing; a `Watcher` is shown the training
    instead of the lines (a notebook's is `classroom.live_curve.LiveCurve`). Inside `parallel.process_group` all
    processes share each batch of `batch_size`, and the first one writes. Raises NotFinite, CheckpointError, ValueError.
    Source: DeepLab v1, sections 3.1 and 5.
    """
    settings = checks.checked_settings(
        save_every, validate_every, iterations=iterations, batch_size=batch_size, lr=lr, schedule=schedule, loss=loss,
        amp=amp, seed=runtime.seed() if seed is None else seed, weight_decay=weight_decay, clip=clip,
        released_groups=released_groups, channels_last=channels_last, freeze_batch_norm=freeze_batch_norm,
        class_weights=class_weights,
    )  # fmt: skip
    iterations, batch_size = settings["iterations"], settings["batch_size"]
    about = checkpoints.plain(about or {}, "about")
    device = torch.device(device) if device is not None else runtime.device()
    path = Path(checkpoint) if checkpoint else None
    batches = Batches(dataset, batch_size, settings["seed"])
    every = validate_every or max(iterations // 10, 1)
    by_default = min(8, os.cpu_count() or 1) if device.type == "cuda" else 0
    began = time.monotonic()
    with own_modes(model):
        run = _Run(model, grid_of(model, grid), settings, path, device, compiled)
        if path:
            run.about = notes.about(model, dataset, validation, {"recipe": settings, **about})
            run.settings = settings | notes.facts(model, run.grid, dataset, validation)
            if continued := resume and path.exists():
                run.restore(path)
            if (validation is not None or not resume) and len(run.history.loss) < iterations:
                best = Best(path, run.settings, continued, resume, run.history.mean_iou.values())
                run.best = best if validation is not None or best.is_stale else None
        parallel.barrier()
        todo = range(len(run.history.loss), iterations)
        first = bool(todo) and parallel.rank() == 0
        with (
            own_randomness(device),
            checks.stop_politely() as stop,
            checkpoints.training_into(*(path, run.best and run.best.path) if first else ()),
            Progress(run.history, iterations, progress if first else False) as bar,
        ):
            for pairs in (dataset, validation) if todo else ():
                if pairs is not None:
                    check(pairs, most=100, pictures=False).settle()
            if todo:
                run.prepare(dataset)
            loader = torch.utils.data.DataLoader(
                batches, batch_size=None, sampler=todo, num_workers=by_default if workers is None else workers,
                pin_memory=device.type == "cuda", worker_init_fn=ignore_interrupts,
            )  # fmt: skip
            for iteration, (images, labels) in zip(todo, loader, strict=True):
                run.step(iteration, images, labels)
                done = iteration + 1
                validated = done % every == 0 or done == iterations
                if validated and validation is not None:
                    run.measured(done, evaluate(model, validation, grid=run.grid))
                bar.update()
                if validated and watch:
                    watch(done, model)
                stopped = parallel.any_process(bool(stop))
                if path and (done % save_every == 0 or done == iterations or stopped):
                    run.save(path)
                if stopped:
                    break
    run.history.seconds = time.monotonic() - began
    run.history.finished = len(run.history.loss) == iterations
    bar.farewell(path)
    return run.history


class _Run:
    """One training: the model, its optimiser, and what happened so far."""

    def __init__(
        self, model: torch.nn.Module, grid: Grid, settings: dict, path: Path | None, device: torch.device,
        compiled: bool,
    ):  # fmt: skip
        self.model, self.grid, self.settings, self.path = model, grid, settings, path
        self.device, self.history = device, History()
        self.about: dict = {}
        self.best: Best | None = None
        self.weights: torch.Tensor | None = None
        if settings["freeze_batch_norm"]:
            if not any(batch_norms(model)):
                raise ValueError("the model has no batch norm to freeze: pass freeze_batch_norm=False")
            for norm in batch_norms(model):
                norm.requires_grad_(False)
        self.layout = torch.channels_last if settings["channels_last"] else torch.contiguous_format
        model.to(device).to(memory_format=self.layout)
        called = parallel.distribute(model, device)
        self.called = torch.compile(called) if compiled else called
        self.half: torch.dtype | None = None
        if (amp := settings["amp"]) and device.type == "cuda":
            bf16 = amp == "bf16" or (amp is True and torch.cuda.is_bf16_supported())
            self.half = torch.bfloat16 if bf16 else torch.float16
        options = {name: settings[name] for name in ("lr", "weight_decay", "released_groups")}
        self.optimiser = optimiser_for(model, **options)
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.half is torch.float16)

    def step(self, iteration: int, images: torch.Tensor, labels: torch.Tensor) -> None:
        """One iteration: the schedule's learning rate, the loss of one batch, one step downhill."""
        iterations, schedule = self.settings["iterations"], SCHEDULES[self.settings["schedule"]]
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"] * schedule(iteration, iterations)
        seed_dropout(self.settings["seed"], iteration)
        loss = self.loss(images, labels)
        self.history.loss.append(parallel.sum_over_processes(loss.detach()).item() / parallel.world_size())
        self.history.lr.append(self.optimiser.param_groups[0]["lr"])
        checks.check_loss(self.history, self.path)
        self.optimiser.zero_grad()
        self.scaler.scale(loss).backward()
        if self.settings["clip"]:
            self.scaler.unscale_(self.optimiser)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings["clip"])
        self.scaler.step(self.optimiser)
        self.scaler.update()

    def loss(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Loss of one batch, images [N, 3, H, W] and labels [N, H, W], at full precision."""
        images = images.to(self.device, memory_format=self.layout, non_blocking=True)
        self.model.train()
        if self.settings["freeze_batch_norm"]:
            for norm in batch_norms(self.model):
                norm.eval()
        with torch.autocast(self.device.type, self.half, enabled=self.half is not None):
            outputs = self.called(images)
        # a list is a loss on each of several logits, with the grid of each
        outputs = outputs if isinstance(outputs, list) else [(logits_of(outputs), self.grid)]
        count, weights = outputs[0][0].shape[1], self.weights
        check_labels(labels, count)
        if weights is not None and len(weights) != count:
            if self.settings["class_weights"] != class_weights.MEDIAN_FREQUENCY or len(weights) > count:
                raise ValueError(
                    f"class_weights must be {count} numbers, one for each class, got {len(weights)}"
                )
            weights = torch.nn.functional.pad(weights, (0, count - len(weights)), value=1.0)  # never seen
        criterion, labels = LOSSES[self.settings["loss"]], labels.to(self.device, non_blocking=True)
        losses = [criterion(logits.float(), labels, grid, weights) for logits, grid in outputs]
        return sum(losses[1:], losses[0])

    def measured(self, done: int, scores: Scores) -> None:
        """Note what a validation found, and keep the state if it is the best so far."""
        self.history.mean_iou[done], self.history.missing = scores.mean_iou, scores.missing
        self.about["scores"] = notes.measured(scores, done, self.about.get("classes", ()))
        if self.best and self.best.is_beaten_by(scores.mean_iou):
            self.save(self.best.path)

    def prepare(self, dataset: Sequence | Pairs) -> None:
        """Find the classes' weights, once, and write the first state; the best one of an earlier training goes."""
        weights = self.settings["class_weights"]
        if weights == class_weights.MEDIAN_FREQUENCY:
            if "class_weights" not in self.about:
                self.about["class_weights"] = class_weights.median_frequency(dataset).tolist()
            weights = self.about["class_weights"]
        if weights is not None:
            self.weights = torch.tensor(weights, dtype=torch.float32, device=self.device)
        if self.path and not self.history.loss:
            self.save(self.path)  # a folder that cannot be written is better found now than after hours
        if self.best and self.best.is_stale and parallel.rank() == 0:
            self.best.path.unlink(missing_ok=True)

    def save(self, path: Path) -> None:
        """Write everything that is needed to continue: the first process does, the others only look."""
        checks.check_weights(self.model, len(self.history.loss), path)
        if parallel.rank() == 0:
            state = {part: getattr(self, part).state_dict() for part in ("model", "optimiser", "scaler")}
            state |= {"history": asdict(self.history), "settings": self.settings, "about": self.about}
            state["best"] = self.best is not None and path == self.best.path
            checkpoints.save_checkpoint(state, path)

    def restore(self, path: Path) -> None:
        """Read what `save` wrote; CheckpointError, naming each change, if it was begun with other settings."""
        content = checkpoints.load_checkpoint(path)
        if "optimiser" not in content:
            reason = "holds no training to continue: pass resume=False or another path."
            raise checkpoints.CheckpointError(f"{path} {reason}")
        noted = content["about"]
        # the caller's own words come first: where those agree, what is known here
        own = notes.differences(noted.get("settings", noted), self.about.get("settings", {}))
        model = own or notes.differences(noted.get("model", {}), self.about.get("model", {}))
        was = {"freeze_batch_norm": False, "class_weights": None, **content["settings"]}
        was = {"weight_decay": 5e-4, "released_groups": False, **was}
        if changed := model or notes.differences(was, self.settings):
            raise checkpoints.OtherSettings(path, changed)
        self.about = noted | self.about
        checkpoints.load_state_dict(self.model, content["model"], path)
        self.optimiser.load_state_dict(content["optimiser"])
        if content["scaler"] and self.scaler.is_enabled():
            self.scaler.load_state_dict(content["scaler"])
        self.history = History(**content["history"])


def batch_norms(model: torch.nn.Module) -> Iterator[_BatchNorm]:
    """Return every batch norm of the model that trains (`backbones.freeze_batch_norm` leaves none)."""
    return (part for part in model.modules() if isinstance(part, _BatchNorm))


def optimiser_for(
    model: torch.nn.Module, lr: float, weight_decay: float = 5e-4, released_groups: bool = False
) -> torch.optim.SGD:
    """Return SGD with momentum 0.9 over `model.parameter_groups(lr)`, or over all alike if a model has no such groups.

    `lr` is the backbone's; in v1 and v2 the classifier has ten times it. `weight_decay` is that of groups which state
    none. `released_groups` divides those as the released trainings do: biases of convolutions have twice the learning
    rate, and no decay; batch norm's factors and shifts and depthwise kernels have no decay either. Source: the network
    files of v1 and v2 (Caffe), `train_utils.py` and `xception.py` of v3 and v3+ (TensorFlow).
    """
    inner = unwrapped(model)
    own = getattr(inner, "parameter_groups", lambda lr: [{"params": list(model.parameters())}])
    groups = _as_released(inner, own(lr), lr, weight_decay) if released_groups else own(lr)
    optimiser = torch.optim.SGD(groups, lr=lr, momentum=0.9, weight_decay=weight_decay)
    for group in optimiser.param_groups:
        group.setdefault("initial_lr", group["lr"])
    return optimiser


def _as_released(model: torch.nn.Module, groups: list[dict], lr: float, weight_decay: float) -> list[dict]:
    """Each group that states no weight decay, divided by what the released trainings do with its parameters."""
    kinds, found = {}, dict[tuple, dict]()  # times the learning rate, and weight decay, of each parameter
    for part in model.modules():
        spared = isinstance(part, _ConvNd) and 1 < part.groups == part.in_channels  # depthwise
        for name, p in part.named_parameters(recurse=False):
            twice = name == "bias" and isinstance(part, (_ConvNd, torch.nn.Linear))
            kinds[id(p)] = 1 + twice, 0.0 if p.ndim < 2 or spared else weight_decay
    for number, group in enumerate(groups):
        for p in group["params"]:
            times, decay = (1, group["weight_decay"]) if "weight_decay" in group else kinds[id(p)]
            part_of = {**group, "params": [], "lr": times * group.get("lr", lr), "weight_decay": decay}
            found.setdefault((number, times, decay), part_of)["params"].append(p)
    return list(found.values())
