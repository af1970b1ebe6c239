"""Files that are whole or absent, and what a disk refuses explained in words."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FORBIDDEN = "writing there is not allowed. Change the folder's rights"
_REASONS = {
    errno.ENOSPC: "the disk is full. Make room",
    errno.EDQUOT: "your share of the disk is used up. Make room",
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: "that disk is read-only. Choose another",
    errno.ENOTDIR: "a part of that path is a file, not a folder. Rename it",
    errno.EEXIST: "a file has the name of the folder that is needed. Rename it",
}


@contextmanager
def explained(path: str | Path, what: str = "write") -> Iterator[None]:
    """Explain a full disk or a forbidden data folder in words within this block; `path` is what was being written.

    Raises OSError with the same `errno` as its cause; errors of other kinds pass unchanged.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _REASONS:
            raise
        way_out = "or set DEEPLAB_LESSONS_DATA to a folder with room that you may write to"
        message = f"could not {what} {path}: {_REASONS[error.errno]}, {way_out}"
        raise OSError(error.errno, message) from error


def folder(path: str | Path) -> Path:
    """Make a data folder, with those above it, unless it is there; OSError in words where that can't be done."""
    with explained(path, "make the folder"):
        Path(path).mkdir(parents=True, exist_ok=True)
    return Path(path)


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield the name of a file beside `path`, this writer's own, which becomes `path` if the block ends well.

    At `path` is the old file or the new one, never half of one: the new one is forced to the disk and renamed in one
    step. After an error or Ctrl-C the unfinished file is removed.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())  # on the disk before it gets its name
        os.replace(part, path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
