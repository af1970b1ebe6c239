"""The training of lesson 05 next to busy programs, with the course's GOMP_SPINCOUNT and without, as a Markdown table.

    python benchmarks/busy.py            about 6 minutes on two cores that nothing else uses
    python benchmarks/busy.py --quick    one short round, to see that it runs

0, 1 and 2 processes compute without pause while a training runs in a process of its own: with GNU OpenMP's default,
then with what the package sets. Both take turns in every round, and which one begins changes. Each ratio is iterations
per second divided by those of the quiet training with the default, in the same round: its median and its range. CPU
only, and only where torch brings GNU OpenMP (Linux). With OMP_NUM_THREADS=1 no thread waits, and all ratios are alike.
"""

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

SETTINGS = {
    "default": "300000",
    "course": "1000",
}  # turns that a waiting thread makes; GNU's own default is the first
BUSY = (0, 1, 2)
WARM_UP = 2  # iterations


class Clock:
    """A watcher that stops a training after some seconds, and knows how long each iteration took."""

    def __init__(self, seconds: float):
        self.seconds, self.times = seconds, []

    def update(self, history) -> None:
        self.times.append(time.perf_counter())
        measured = self.times[WARM_UP:]
        if measured and measured[-1] - self.times[0] > self.seconds:
            signal.raise_signal(signal.SIGINT)  # as Ctrl-C: the training ends after this iteration

    def close(self, history) -> None:
        """Nothing to close."""

    def rate(self) -> float:
        return (len(self.times) - WARM_UP) / (self.times[-1] - self.times[WARM_UP - 1])


def train(seconds: float) -> float:
    """Iterations per second of lesson 05's training, in this process."""
    from deeplab_lessons import training
    from deeplab_lessons.classroom.experiments import experiment

    recipe, clock = experiment("small_largefov", "class"), Clock(seconds)
    settings = recipe.settings | {"iterations": 10**6, "device": "cpu"}
    training.train(recipe.model(0), recipe.data_sets()[0], **settings, seed=0, progress=clock)
    return clock.rate()


def in_own_process(spins: str, seconds: float) -> float:
    """`train` in a process that waits so."""
    command = [sys.executable, __file__, "--train", str(seconds)]
    environment = os.environ | {"GOMP_SPINCOUNT": spins}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])  # after what a stopped training says


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that compute without pause."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def measure(rounds: int, seconds: float) -> dict[tuple[int, str], list[float]]:
    """Iterations per second of each round, for each number of busy processes and each setting."""
    rates = {(count, name): [] for count in BUSY for name in SETTINGS}
    for each in range(rounds):
        for count in BUSY:
            for name in sorted(SETTINGS, reverse=not each % 2):
                with busy(count):
                    rates[count, name].append(in_own_process(SETTINGS[name], seconds))
    return rates


def row(rates: dict[tuple[int, str], list[float]], count: int) -> str:
    """One line of the table."""
    cells = [f"{count}"] + [f"{statistics.median(rates[count, name]):.3g}" for name in SETTINGS]
    for name in SETTINGS:
        ratios = [one / quiet for one, quiet in zip(rates[count, name], rates[0, "default"], strict=True)]
        cells.append(f"{statistics.median(ratios):.2f} ({min(ratios):.2f} … {max(ratios):.2f})")
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--quick", action="store_true", help="one round of two seconds each")
    options.add_argument("--rounds", type=int, default=3, help="turns of each setting")
    options.add_argument("--seconds", type=float, default=10, help="length of one training")
    options.add_argument("--train", type=float, metavar="SECONDS", help=argparse.SUPPRESS)
    options = options.parse_args()
    if options.train is not None:
        print(json.dumps(train(options.train)))
        return
    rounds, seconds = (1, 2) if options.quick else (options.rounds, options.seconds)
    print(f"{os.cpu_count()} cores, OMP_NUM_THREADS {os.environ.get('OMP_NUM_THREADS', 'not set')}\n")
    print(
        "| busy processes | default, iterations/s | course, iterations/s | default / quiet default "
        "| course / quiet default |"
    )
    print("|---|---|---|---|---|", flush=True)
    rates = measure(rounds, seconds)
    for count in BUSY:
        print(row(rates, count))


if __name__ == "__main__":
    main()
