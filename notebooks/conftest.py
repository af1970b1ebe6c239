"""How nbval judges the notebooks: what is compared, and that a notebook which was not run to its end never passes."""

import math
from queue import Empty

import nbval.plugin
import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbFile


class WatchedKernel(RunningKernel):
    """A kernel whose death is noticed within a second, not at the time limit of the cell in which it died."""

    def get_message(self, stream, timeout=None):
        """Wait `timeout` seconds for a message. Raises Empty without one, RuntimeError without a kernel."""
        for _ in range(math.ceil(timeout)):
            try:
                return super().get_message(stream, min(timeout, 1))
            except Empty:
                if not self.is_alive():
                    raise RuntimeError("the kernel died in this cell") from None
        raise Empty


nbval.plugin.RunningKernel = WatchedKernel


def pytest_collection_modifyitems(items):
    """Leave progress bars and warnings, which are on stderr, out of the comparison."""
    for notebook in {item.parent for item in items if isinstance(item.parent, IPyNbFile)}:
        notebook.skip_compare += ("stderr",)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Refuse a notebook without code cells: there would be nothing that can fail."""
    report = yield
    if isinstance(collector, IPyNbFile) and report.passed and not report.result:
        report.outcome, report.longrepr = "failed", f"{collector.path.name} has no code cell"
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Run no cell after one that had to be stopped: nbval alone expects those to fail, and passes them."""
    if item.parent.timed_out:
        pytest.skip("not run: a cell above ran into its time limit")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fail a cell that had to be stopped, even if it caught the interrupt and then gave the stored output."""
    result = yield
    if item.parent.timed_out:
        seconds = item.config.option.nbval_cell_timeout
        item.raise_cell_error(
            f"Timeout of {seconds:g} seconds exceeded: the cell was interrupted and continued"
        )
    return result
