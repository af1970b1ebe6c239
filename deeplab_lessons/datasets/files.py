"""Files that are whole or absent: written beside their place first, then renamed; and faults put in words."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_WAY_OUT = "set DEEPLAB_LESSONS_DATA to a folder with room that you may write to"
_REASONS = {
    errno.ENOSPC: f"the disk is full. Make room, or {_WAY_OUT}",
    errno.EDQUOT: f"your share of the disk is used up. Make room, or {_WAY_OUT}",
    errno.EACCES: f"writing there is not allowed. Change the folder's rights, or {_WAY_OUT}",
    errno.EPERM: f"writing there is not allowed. Change the folder's rights, or {_WAY_OUT}",
    errno.EROFS: f"that disk is read-only. To go on, {_WAY_OUT}",
    errno.ENOTDIR: f"a part of that path is a file, not a folder. Rename it, or {_WAY_OUT}",
    errno.EEXIST: f"a file stands where a folder is needed. Rename it, or {_WAY_OUT}",
}


@contextmanager
def explained(path: str | Path, what: str = "write") -> Iterator[None]:
    """Within this block, a full disk or a forbidden folder is said in words; `path` is what was being written.

    Raises OSError with the same `errno` as the fault behind it; faults of other kinds pass unchanged.
    """
    try:
        yield
    except OSError as fault:
        if fault.errno not in _REASONS:
            raise
        raise OSError(fault.errno, f"could not {what} {path}: {_REASONS[fault.errno]}") from fault


def folder(path: str | Path) -> Path:
    """Make a folder, with those above it, unless it is there; OSError in words where that can't be done."""
    path = Path(path)
    with explained(path, "make the folder"):
        path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a name to write to; only if the block ends well does the file appear at `path`, in one step.

    Whoever looks at `path` finds the old file or the new one, never half of one. After a fault or Ctrl-C the
    unfinished file is removed. Raises OSError in words for a full disk or a forbidden folder.
    """
    path = Path(path)
    part = folder(path.parent) / f".{path.name}.{os.getpid()}.part"
    try:
        with explained(path):
            yield part
            with open(part, "rb+") as file:
                os.fsync(file.fileno())  # on the disk before it gets its name
            os.replace(part, path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
